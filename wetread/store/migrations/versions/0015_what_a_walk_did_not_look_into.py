"""what a walk did not look into, what it leaves out, what hindered a run, and numbers that are given once

Workers of the version before go on: they walk by the usual rules and note no directory. A beat of the version before
runs a schedule without its rules. On SQLite a deleted run's number would be given again; where one was deleted before,
readings that name it tell that it was given.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

WALK_RULES = "what is left out and which links are followed, as schemas/walk_rules.py has it; empty: nothing is said"


def upgrade() -> None:
    for table in ("runs", "schedules"):
        op.add_column(table, sa.Column("walk_rules", sa.JSON(), nullable=True, comment=WALK_RULES))
    for column in (
        sa.Column("passed_over", sa.JSON(), comment="what its last walk passed over: {kind: count}"),
        sa.Column(
            "unread_directories", sa.BigInteger(), nullable=False, server_default="0",
            comment="that its last walk could not look into",
        ),
        sa.Column("trouble", sa.String(length=32), comment="a kind of alarm: what hindered it last"),
        sa.Column("trouble_why", sa.Text(), comment="in a sentence"),
        sa.Column("drift", sa.JSON(), comment="alarms of drift, from its end"),
    ):  # fmt: skip
        op.add_column("runs", column)
    op.create_table(
        "unread_directories",
        sa.Column("root_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("path_hash", sa.LargeBinary(length=32), nullable=False, comment="SHA-256 of path"),
        sa.Column("path", sa.LargeBinary(), nullable=False, comment="relative to the root, as bytes; may hold a name"),
        sa.Column("reason", sa.String(length=200), nullable=False, comment="what the file system said"),
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="the run that met it last"),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looked_into_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("root_id", "path_hash", name=op.f("pk_unread_directories")),
        sa.ForeignKeyConstraint(
            ["root_id"], ["roots.id"], name=op.f("fk_unread_directories_root_id_roots"), ondelete="CASCADE"
        ),
    )
    still = sa.text("looked_into_at IS NULL")
    op.create_index(
        "ix_unread_directories_root", "unread_directories", ["root_id"], sqlite_where=still, postgresql_where=still
    )
    op.create_table(
        "numbers_given",
        sa.Column("name", sa.String(length=32), nullable=False, comment="the table"),
        sa.Column("highest", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_numbers_given")),
    )
    op.execute(
        "INSERT INTO numbers_given (name, highest) SELECT 'runs', coalesce(max(number), 0) FROM"
        " (SELECT max(id) AS number FROM runs UNION ALL SELECT max(run_id) FROM predictions) AS given"
    )


def downgrade() -> None:
    op.drop_table("numbers_given")
    op.drop_table("unread_directories")
    # Written out: alembic would make the tables anew on SQLite.
    for column in ("drift", "trouble_why", "trouble", "unread_directories", "passed_over", "walk_rules"):
        op.execute(f"ALTER TABLE runs DROP COLUMN {column}")
    op.execute("ALTER TABLE schedules DROP COLUMN walk_rules")
