"""films set aside by their words, under which rules, and what of a film's display was set right

Workers of the version before go on: they know of no accepted words, and what they reject counts as rejected under older
rules, so the next run of this version reads it again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ACCEPTS = "words read anyway"
WORD = "of our own lists, by which a film was set aside"
RULES = "under which its bytes were rejected"
NOTE = "what was set right; null: not decoded"


def upgrade() -> None:
    op.add_column("runs", sa.Column("accepts", sa.JSON(none_as_null=True), nullable=True, comment=ACCEPTS))
    op.add_column("schedules", sa.Column("accepts", sa.JSON(none_as_null=True), nullable=True, comment=ACCEPTS))
    op.add_column("work_items", sa.Column("word", sa.String(length=32), nullable=True, comment=WORD))
    op.add_column("work_items", sa.Column("rules", sa.String(length=32), nullable=True, comment=RULES))
    op.add_column("film_headers", sa.Column("display_note", sa.String(length=255), nullable=True, comment=NOTE))


def downgrade() -> None:
    # Written out: alembic would make the tables anew on SQLite.
    op.execute("ALTER TABLE film_headers DROP COLUMN display_note")
    op.execute("ALTER TABLE work_items DROP COLUMN rules")
    op.execute("ALTER TABLE work_items DROP COLUMN word")
    op.execute("ALTER TABLE schedules DROP COLUMN accepts")
    op.execute("ALTER TABLE runs DROP COLUMN accepts")
