"""what readers said of films, in rows that are added and never changed

Programs of the version before go on: they know nothing of this table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
VERDICTS = "agree, disagree, unsure, not_a_film or withdrawn"


def upgrade() -> None:
    op.create_table(
        "reviews",
        sa.Column("id", ID, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False, comment="of the film's bytes"),
        sa.Column("model_digest", sa.String(length=64), nullable=True, comment="of the reading that was looked at"),
        sa.Column("decision_digest", sa.String(length=64), nullable=True),
        sa.Column("model_label", sa.String(length=64), nullable=True, comment="its most probable label, then"),
        sa.Column("model_decision", sa.String(length=64), nullable=True, comment="its decision, then"),
        sa.Column("model_probability", sa.Float(), nullable=True),
        sa.Column("reader_id", ID, nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False, comment=VERDICTS),
        sa.Column("label", sa.String(length=64), nullable=True, comment="what the reader sees, where they said"),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("blinded", sa.Boolean(), nullable=False, comment="it was said before the model's answer was shown"),
        sa.Column("seconds", sa.Float(), nullable=False, comment="that the film was looked at"),
        sa.Column(
            "supersedes", sa.BigInteger(), nullable=True, comment="the review of the same reader and bytes before"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "previous_hash",
            sa.String(length=64),
            nullable=False,
            comment="row_hash of the row before; zeros of the first",
        ),
        sa.Column(
            "row_hash",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of the row, as wetread/store/reviews/chain.py has it",
        ),
        sa.ForeignKeyConstraint(["reader_id"], ["readers.id"], name=op.f("fk_reviews_reader_id_readers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("row_hash", name=op.f("uq_reviews_row_hash")),
    )
    op.create_index("ix_reviews_sha256", "reviews", ["sha256"])
    op.create_index("ix_reviews_reader_id", "reviews", ["reader_id", "id"])


def downgrade() -> None:
    op.drop_table("reviews")
