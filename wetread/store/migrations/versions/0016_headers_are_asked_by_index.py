"""Films are asked for by patient, day, view and modality.

Revision ID: 0022
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

COLUMNS = ("patient_hash", "acquired_on", "view", "modality")


def upgrade() -> None:
    for column in COLUMNS:
        op.create_index(f"ix_film_headers_{column}", "film_headers", [column])


def downgrade() -> None:
    for column in COLUMNS:
        op.drop_index(f"ix_film_headers_{column}", "film_headers")
