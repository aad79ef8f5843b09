"""schedules whose films a second model reads too

A beat of the version before goes on, and runs such a schedule without its shadow.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

COMMENT = "a second model that reads along, as it was named; looked up anew for each run"


def upgrade() -> None:
    op.add_column("schedules", sa.Column("shadow", sa.String(length=200), nullable=True, comment=COMMENT))


def downgrade() -> None:
    # Written out: alembic would make the table anew on SQLite.
    op.execute("ALTER TABLE schedules DROP COLUMN shadow")
