"""one reading of what several files show

Programs of the version before go on: what they read has no digest of what is shown, and is linked by bytes alone.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

SHOWN = "shown IS NOT NULL"


def upgrade() -> None:
    op.add_column(
        "predictions",
        sa.Column("shown", sa.String(length=64), nullable=True, comment="digest of what a DICOM film shows"),
    )
    op.create_index(
        "uq_predictions_shown",
        "predictions",
        ["shown", "model_digest"],
        unique=True,
        sqlite_where=sa.text(SHOWN),
        postgresql_where=sa.text(SHOWN),
    )
    op.create_table(
        "same_pictures",
        sa.Column("sha256", sa.String(length=64), nullable=False, comment="of the file's bytes"),
        sa.Column("model_digest", sa.String(length=64), nullable=False),
        sa.Column(
            "prediction_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="the reading, made of other bytes",
        ),
        sa.ForeignKeyConstraint(
            ["prediction_id"],
            ["predictions.id"],
            name=op.f("fk_same_pictures_prediction_id_predictions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sha256", "model_digest", name=op.f("pk_same_pictures")),
    )
    op.create_index("ix_same_pictures_prediction_id", "same_pictures", ["prediction_id"])


def downgrade() -> None:
    op.drop_table("same_pictures")
    op.drop_index("uq_predictions_shown", table_name="predictions")
    op.drop_column("predictions", "shown")
