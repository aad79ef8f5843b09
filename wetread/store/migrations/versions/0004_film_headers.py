"""what is kept of DICOM headers

One row for a file's bytes, and its id on each item of such a file. Workers of the version before go on: their items
have no header until their files are read again. header_id is no foreign key, as batch_id is none: SQLite could not
take it away again, and a row that items name is never deleted.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "film_headers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False, comment="of the file's bytes"),
        sa.Column("study_uid", sa.String(length=64), nullable=True),
        sa.Column("series_uid", sa.String(length=64), nullable=True),
        sa.Column("instance_uid", sa.String(length=64), nullable=True),
        sa.Column("view", sa.String(length=16), nullable=True, comment="a code of the standard"),
        sa.Column("modality", sa.String(length=16), nullable=True, comment="a code of the standard"),
        sa.Column("acquired_on", sa.Date(), nullable=True),
        sa.Column("pixel_spacing", sa.JSON(), nullable=True, comment="millimetres between rows, between columns"),
        sa.Column("patient_hash", sa.String(length=64), nullable=True, comment="HMAC-SHA256 of the patient's id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_film_headers")),
        sa.UniqueConstraint("sha256", name=op.f("uq_film_headers_sha256")),
    )
    op.create_index("ix_film_headers_study_uid", "film_headers", ["study_uid"])
    op.create_index("ix_film_headers_series_uid", "film_headers", ["series_uid"])
    op.add_column(
        "work_items",
        sa.Column(
            "header_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="what its file's header says, in film_headers",
        ),
    )
    op.create_index(
        "ix_work_items_header",
        "work_items",
        ["header_id"],
        sqlite_where=sa.text("header_id IS NOT NULL"),
        postgresql_where=sa.text("header_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_work_items_header", "work_items")
    # Written out: alembic would make the table anew on SQLite.
    op.execute("ALTER TABLE work_items DROP COLUMN header_id")
    op.drop_table("film_headers")
