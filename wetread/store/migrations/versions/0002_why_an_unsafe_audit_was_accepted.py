"""why an unsafe audit was accepted"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("alias_changes", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "accepted_audit",
                sa.Text(),
                nullable=True,
                comment="why the model was taken although the audit of its data found that unsafe",
            )
        )


def downgrade() -> None:
    with op.batch_alter_table("alias_changes", schema=None) as batch_op:
        batch_op.drop_column("accepted_audit")
