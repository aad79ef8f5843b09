"""which moves of an alias went back, so that going back again reaches further back

Moves of before count as promotions: whether one went back was not written down.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

COMMENT = "the move took the last promotion back"


def upgrade() -> None:
    column: sa.Column[bool] = sa.Column(
        "rolled_back", sa.Boolean(), nullable=False, server_default=sa.false(), comment=COMMENT
    )
    op.add_column("alias_changes", column)


def downgrade() -> None:
    # Written out: alembic would make the table anew on SQLite.
    op.execute("ALTER TABLE alias_changes DROP COLUMN rolled_back")
