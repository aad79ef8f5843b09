"""runs that shadow others, and evaluations that speak for a model

Workers of the version before go on: they read a shadow's batches by themselves, each film once more. shadow_of and
rides_on are no foreign keys, as batch_id is none: SQLite could not take them away again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

COLUMNS = {
    ("runs", "shadow_of"): "the run whose films this run's model reads beside it; it has accounts of its own",
    ("batches", "rides_on"): "the batch of the shadowed run with which its images are read; no foreign key",
}
ACCEPTED = "why the model was taken although no evaluation speaks for it, or one against it"


def upgrade() -> None:
    for (table, name), comment in COLUMNS.items():
        op.add_column(table, sa.Column(name, sa.BigInteger(), nullable=True, comment=comment))
        given = sa.text(f"{name} IS NOT NULL")
        op.create_index(f"ix_{table}_{name}", table, [name], sqlite_where=given, postgresql_where=given)
    op.add_column("alias_changes", sa.Column("accepted_evaluation", sa.Text(), nullable=True, comment=ACCEPTED))
    op.create_table(
        "evaluations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("model_digest", sa.String(length=64), nullable=False),
        sa.Column("against_digest", sa.String(length=64), nullable=True, comment="the other model, if there was one"),
        sa.Column("data_digest", sa.String(length=64), nullable=False, comment="of the films and their labels"),
        sa.Column("side", sa.String(length=16), nullable=True, comment="of the split: train, validation or test"),
        sa.Column(
            "learned_from",
            sa.Boolean(),
            nullable=False,
            comment="the model, or the other, was trained or chosen on these films",
        ),
        sa.Column("films", sa.Integer(), nullable=False),
        sa.Column("patients", sa.Integer(), nullable=False),
        sa.Column(
            "figures",
            sa.JSON(),
            nullable=False,
            comment="figure: value, low, high; against another model the differences, with paired intervals",
        ),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluations")),
    )
    op.create_index("ix_evaluations_model", "evaluations", ["model_digest", "against_digest"])


def downgrade() -> None:
    op.drop_table("evaluations")
    # Written out: alembic would make the tables anew on SQLite.
    op.execute("ALTER TABLE alias_changes DROP COLUMN accepted_evaluation")
    for table, name in COLUMNS:
        op.drop_index(f"ix_{table}_{name}", table)
        op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")
