"""what was counted of workers that may live, so that they can take it back

A worker of the version before goes on: it counts deaths and attempts as before, and takes nothing back.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

COMMENT = "counted of whom it may wrong"
ID_COMMENT = "host:pid:start:place, unique for ever"
ID_COMMENT_BEFORE = "host:pid:start, unique for ever"


def upgrade() -> None:
    op.add_column("batches", sa.Column("doubts", sa.JSON(none_as_null=True), nullable=True, comment=COMMENT))
    _comment_on_the_id(ID_COMMENT)


def downgrade() -> None:
    _comment_on_the_id(ID_COMMENT_BEFORE)
    # Written out: alembic would make the table anew on SQLite.
    op.execute("ALTER TABLE batches DROP COLUMN doubts")


def _comment_on_the_id(comment: str) -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"COMMENT ON COLUMN workers.id IS '{comment}'")
