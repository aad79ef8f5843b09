"""what the death of a worker process is blamed on

Workers of the version before go on: they fill none of the columns. A film that they call dead is tried again by the
next run, as before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

PROGRAM = "the version of wetread under which it is dead"
OOM_KILLS = "the kernel's count as it was last tried alone"
UNTOUCHED = "deaths since an image was touched"


def upgrade() -> None:
    op.add_column("work_items", sa.Column("program", sa.String(length=32), nullable=True, comment=PROGRAM))
    op.add_column("work_items", sa.Column("oom_kills", sa.BigInteger(), nullable=True, comment=OOM_KILLS))
    op.add_column("runs", sa.Column("untouched", sa.Integer(), nullable=False, server_default="0", comment=UNTOUCHED))


def downgrade() -> None:
    # Written out: alembic would make the tables anew on SQLite.
    op.execute("ALTER TABLE runs DROP COLUMN untouched")
    op.execute("ALTER TABLE work_items DROP COLUMN oom_kills")
    op.execute("ALTER TABLE work_items DROP COLUMN program")
