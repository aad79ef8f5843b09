"""how far a model's maps are to be trusted

Programs of the version before go on: they know nothing of this table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "map_checks",
        sa.Column("id", ID, nullable=False),
        sa.Column("model_digest", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False, comment="additive, occlusion or integrated"),
        sa.Column("films", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Text(), nullable=True, comment="why its maps are not shown; empty where they are"),
        sa.Column("figures", sa.JSON(), nullable=False, comment="as wetread/views/map_checks.py shows them"),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_map_checks")),
    )
    op.create_index("ix_map_checks_model", "map_checks", ["model_digest", "method"])


def downgrade() -> None:
    op.drop_table("map_checks")
