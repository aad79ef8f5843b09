"""readings that are sent back to PACS

Programs of the version before go on: they know nothing of this table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", ID, nullable=False),
        sa.Column("peer", sa.String(length=64), nullable=False, comment="its name"),
        sa.Column("received_id", ID, nullable=False, comment="the film, in a spool"),
        sa.Column("prediction_id", ID, nullable=False, comment="the reading, whose values it has"),
        sa.Column("report_uid", sa.String(length=64), nullable=False, comment="SOP instance UID of the report"),
        sa.Column(
            "predecessor_uid", sa.String(length=64), nullable=True, comment="of the report that it takes the place of"
        ),
        sa.Column("decision", sa.String(length=64), nullable=False),
        sa.Column(
            "state", sa.String(length=16), nullable=False, comment="pending, sent, committed, failed or cancelled"
        ),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False, comment="times that it was sent"),
        sa.Column("why", sa.String(length=200), nullable=True, comment="why it failed or was cancelled"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "settled_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when it was committed, failed or cancelled",
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'sent', 'committed', 'failed', 'cancelled')", name=op.f("ck_deliveries_state")
        ),
        sa.ForeignKeyConstraint(
            ["received_id"], ["received.id"], name=op.f("fk_deliveries_received_id_received"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["prediction_id"],
            ["predictions.id"],
            name=op.f("fk_deliveries_prediction_id_predictions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("peer", "report_uid", name=op.f("uq_deliveries_peer_report_uid")),
    )
    op.create_index("ix_deliveries_state", "deliveries", ["peer", "state", "id"])
    op.create_index("ix_deliveries_film", "deliveries", ["peer", "received_id"])
    op.create_index("ix_deliveries_received_id", "deliveries", ["received_id"])
    op.create_index("ix_deliveries_prediction_id", "deliveries", ["prediction_id"])


def downgrade() -> None:
    op.drop_table("deliveries")
