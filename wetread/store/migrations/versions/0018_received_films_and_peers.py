"""films that came over the network, their accounts, and who may send them

Programs of the version before go on: they know nothing of these tables, and read the films as those of any root.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "peers",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=16), nullable=False, comment="the title by which it calls"),
        sa.Column("network", sa.String(length=64), nullable=False, comment="the addresses that it calls from"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_peers")),
        sa.UniqueConstraint("name", name=op.f("uq_peers_name")),
    )
    op.create_table(
        "received_accounts",
        sa.Column("root_id", ID, autoincrement=False, nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False, comment="films, each once"),
        sa.Column("taken", sa.BigInteger(), nullable=False, comment="of these, into a run"),
        sa.Column("waiting", sa.BigInteger(), nullable=False, comment="of these, for a run"),
        sa.Column("conflicts", sa.BigInteger(), nullable=False, comment="of these, other bytes of one instance"),
        sa.Column("copies", sa.BigInteger(), nullable=False, comment="times that a film or object came again"),
        sa.Column("not_wanted", sa.BigInteger(), nullable=False, comment="objects that were not kept"),
        sa.CheckConstraint("received = taken + waiting", name=op.f("ck_received_accounts_accounts")),
        sa.ForeignKeyConstraint(["root_id"], ["roots.id"], name=op.f("fk_received_accounts_root_id_roots")),
        sa.PrimaryKeyConstraint("root_id", name=op.f("pk_received_accounts")),
    )
    op.create_table(
        "received",
        sa.Column("id", ID, nullable=False),
        sa.Column("root_id", ID, nullable=False, comment="the films' directory of a spool"),
        sa.Column("sop_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("sop_class_uid", sa.String(length=64), nullable=False),
        sa.Column("transfer_syntax_uid", sa.String(length=64), nullable=False, comment="as it was sent, and is kept"),
        sa.Column(
            "sha256", sa.String(length=64), nullable=False, comment="of the file, which holds nothing of its sender"
        ),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="bytes, of the file"),
        sa.Column("path", sa.LargeBinary(), nullable=True, comment="relative to the root; null: it was not kept"),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False, comment="of the file"),
        sa.Column("state", sa.String(length=16), nullable=False, comment="waiting, taken into a run, or not_wanted"),
        sa.Column(
            "conflict",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="other bytes came under the same SOP instance UID",
        ),
        sa.Column(
            "copies", sa.BigInteger(), server_default="0", nullable=False, comment="times that the same came again"
        ),
        sa.Column("run_id", ID, nullable=True, comment="that took it"),
        sa.Column(
            "calling_title", sa.String(length=16), nullable=False, comment="the sender's; empty: not known any more"
        ),
        sa.Column("called_title", sa.String(length=16), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False, comment="the sender's"),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["root_id"], ["roots.id"], name=op.f("fk_received_root_id_roots")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_received_run_id_runs"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_received")),
        sa.UniqueConstraint(
            "sop_instance_uid", "sha256", "root_id", name=op.f("uq_received_sop_instance_uid_sha256_root_id")
        ),
    )
    op.create_index(
        "ix_received_waiting",
        "received",
        ["root_id", "id"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_received_conflicts",
        "received",
        ["run_id"],
        sqlite_where=sa.text("conflict = 1"),
        postgresql_where=sa.text("conflict"),
    )
    op.create_index("ix_received_run_id", "received", ["run_id"])
    op.create_index("ix_received_sha256", "received", ["sha256"])


def downgrade() -> None:
    op.drop_table("received")
    op.drop_table("received_accounts")
    op.drop_table("peers")
