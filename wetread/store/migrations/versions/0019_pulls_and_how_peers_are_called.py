"""what is fetched from a PACS, how peers are called, and schedules that fetch

Programs of the version before go on: they know nothing of these tables and columns. One that runs a schedule that
fetches would read its spool and fetch nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def count(name: str, says: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False, comment=says)


def upgrade() -> None:
    op.add_column("peers", sa.Column("calls", sa.JSON(), nullable=True, comment="how it is called; null: it is not"))
    op.add_column("schedules", sa.Column("pull", sa.JSON(), nullable=True, comment="what is fetched first, and whence"))
    op.create_table(
        "pulls",
        sa.Column("id", ID, nullable=False),
        sa.Column("peer", sa.String(length=64), nullable=False, comment="its name, as it was then"),
        sa.Column("wish", sa.String(length=64), nullable=False, comment="SHA-256 of what was asked for"),
        sa.Column("root_id", ID, nullable=False, comment="the films' directory of the spool"),
        sa.Column("since", sa.String(length=10), nullable=True, comment="the first study date, YYYY-MM-DD"),
        sa.Column("until", sa.String(length=10), nullable=True, comment="the last study date"),
        sa.Column("modalities", sa.String(length=200), nullable=False, comment="parted by commas"),
        sa.Column("via", sa.String(length=8), nullable=False, comment="wado, get or move"),
        sa.Column("state", sa.String(length=16), nullable=False, comment="asking, fetching, incomplete or finished"),
        sa.Column("note", sa.Text(), nullable=True, comment="why it is incomplete"),
        count("asked", "instances of its studies"),
        count("pending", "of these, not tried yet"),
        count("received", "of these, in the spool"),
        count("failed", "of these, tried in vain"),
        count("gone", "of these, the peer has them no more"),
        count("not_wanted", "of these, no films"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True, comment="when it was finished"),
        sa.CheckConstraint("asked = pending + received + failed + gone + not_wanted", name=op.f("ck_pulls_accounts")),
        sa.ForeignKeyConstraint(["root_id"], ["roots.id"], name=op.f("fk_pulls_root_id_roots")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pulls")),
    )
    op.create_index(
        "uq_pulls_wish",
        "pulls",
        ["peer", "wish"],
        unique=True,
        sqlite_where=sa.text("state <> 'finished'"),
        postgresql_where=sa.text("state <> 'finished'"),
    )
    op.create_table(
        "pull_studies",
        sa.Column("id", ID, nullable=False),
        sa.Column("pull_id", ID, nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("stated", sa.BigInteger(), nullable=True, comment="NumberOfStudyRelatedInstances; null: not said"),
        sa.Column("named", sa.BigInteger(), nullable=False, comment="instances that its answers listed"),
        sa.ForeignKeyConstraint(
            ["pull_id"], ["pulls.id"], name=op.f("fk_pull_studies_pull_id_pulls"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pull_studies")),
        sa.UniqueConstraint("pull_id", "study_uid", name=op.f("uq_pull_studies_pull_id_study_uid")),
    )
    op.create_table(
        "pull_instances",
        sa.Column("id", ID, nullable=False),
        sa.Column("pull_id", ID, nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("series_uid", sa.String(length=64), nullable=False),
        sa.Column("sop_instance_uid", sa.String(length=64), nullable=False),
        sa.Column(
            "sop_class_uid", sa.String(length=64), nullable=False, comment="as the peer says; empty: it does not"
        ),
        sa.Column(
            "state", sa.String(length=16), nullable=False, comment="pending, received, failed, gone or not_wanted"
        ),
        sa.Column("why", sa.String(length=200), nullable=True, comment="why it failed"),
        sa.ForeignKeyConstraint(
            ["pull_id"], ["pulls.id"], name=op.f("fk_pull_instances_pull_id_pulls"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pull_instances")),
        sa.UniqueConstraint("pull_id", "sop_instance_uid", name=op.f("uq_pull_instances_pull_id_sop_instance_uid")),
    )
    op.create_index("ix_pull_instances_state", "pull_instances", ["pull_id", "state", "id"])


def downgrade() -> None:
    op.drop_table("pull_instances")
    op.drop_table("pull_studies")
    op.drop_table("pulls")
    op.drop_column("schedules", "pull")
    op.drop_column("peers", "calls")
