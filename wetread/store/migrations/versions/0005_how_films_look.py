"""how films look to the network

So that one night's films can be compared with those before without a pixel being read again. Workers of the version
before go on: what they read has no figures here, and is left out of that comparison.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = {
    "grey_mean": "mean grey level of the preprocessed film, 0 to 255",
    "grey_deviation": "standard deviation of its grey levels",
}


def upgrade() -> None:
    for name, comment in COLUMNS.items():
        op.add_column("predictions", sa.Column(name, sa.Float(), nullable=True, comment=comment))


def downgrade() -> None:
    for name in COLUMNS:
        # Written out: alembic would make the table anew on SQLite.
        op.execute(f"ALTER TABLE predictions DROP COLUMN {name}")
