"""readers of the reading room, their sessions, and the lists that they go through

Programs of the version before go on: they know nothing of these tables.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "readers",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False, comment="look, review or manage"),
        sa.Column(
            "password_hash", sa.Text(), nullable=False, comment="scrypt:N:r:p:salt:key, the last two hexadecimal"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readers")),
        sa.UniqueConstraint("name", name=op.f("uq_readers_name")),
    )
    op.create_table(
        "reader_sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False, comment="SHA-256 of what its cookie holds"),
        sa.Column("reader_id", ID, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False, comment="to the minute"),
        sa.ForeignKeyConstraint(["reader_id"], ["readers.id"], name=op.f("fk_reader_sessions_reader_id_readers")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_reader_sessions")),
    )
    op.create_index("ix_reader_sessions_reader_id", "reader_sessions", ["reader_id"])
    op.create_table(
        "reading_lists",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "digest",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of what follows: the same list has one number",
        ),
        sa.Column("filters", sa.JSON(), nullable=False, comment="as wetread/store/reviews/reading_lists.py has it"),
        sa.Column("films_order", sa.String(length=16), nullable=False, comment="triage, newest, …"),
        sa.Column(
            "blinded",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="the model's answer is shown after the reader's own",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading_lists")),
        sa.UniqueConstraint("digest", name=op.f("uq_reading_lists_digest")),
    )


def downgrade() -> None:
    op.drop_table("reading_lists")
    op.drop_table("reader_sessions")
    op.drop_table("readers")
