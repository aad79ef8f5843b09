"""schedules, what became of each of their moments, and runs that a watch made

Programs of the version before go on: a run that they make is of kind screen. They may resume a run of kind watch
as their own, which loses nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "schedules",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("root_ids", sa.JSON(), nullable=False),
        sa.Column("cron", sa.String(length=200), nullable=False, comment="five fields, in timezone"),
        sa.Column("timezone", sa.String(length=64), nullable=False, comment="a name of the tz database"),
        sa.Column(
            "window_start", sa.String(length=5), nullable=True, comment="HH:MM; nothing is read outside the window"
        ),
        sa.Column("window_end", sa.String(length=5), nullable=True, comment="HH:MM; may be of the next day"),
        sa.Column(
            "model", sa.String(length=200), nullable=False, comment="as it was named; looked up anew for each run"
        ),
        sa.Column("engine", sa.String(length=16), nullable=False, comment="numpy, keras or onnx"),
        sa.Column(
            "missed",
            sa.String(length=8),
            nullable=False,
            comment="run or skip: what becomes of a tick that beat slept through",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "since_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="ticks before it do not count: made, or resumed",
        ),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "not_before", sa.DateTime(timezone=True), nullable=True, comment="when a run that failed is tried again"
        ),
        sa.Column("keeper", sa.String(length=128), nullable=True, comment="the process that is at its run"),
        sa.Column("keep_until", sa.Float(), nullable=True, comment="when that process counts as gone, as a lease"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
    )
    op.create_index(
        "uq_schedules_name",
        "schedules",
        ["name"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "schedule_ticks",
        sa.Column("id", ID, nullable=False),
        sa.Column("schedule_id", ID, nullable=False),
        sa.Column("tick", sa.DateTime(timezone=True), nullable=False, comment="when it was due"),
        sa.Column(
            "kind",
            sa.String(length=16),
            nullable=False,
            comment="tick, opening of the window with work left, or manual",
        ),
        sa.Column("outcome", sa.String(length=16), nullable=False, comment="started, going, missed or failed"),
        sa.Column("run_id", ID, nullable=True),
        sa.Column("note", sa.Text(), nullable=True, comment="why it was missed or failed"),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedules.id"], name=op.f("fk_schedule_ticks_schedule_id_schedules")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_schedule_ticks_run_id_runs"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_ticks")),
        sa.UniqueConstraint("schedule_id", "tick", name=op.f("uq_schedule_ticks_schedule_id_tick")),
    )
    op.create_index("ix_schedule_ticks_run_id", "schedule_ticks", ["run_id"])
    op.add_column(
        "runs",
        sa.Column(
            "kind",
            sa.String(length=16),
            nullable=False,
            server_default="screen",
            comment="screen, or watch: what `wetread watch` found",
        ),
    )


def downgrade() -> None:
    # Written out: alembic would make the table anew on SQLite.
    op.execute("ALTER TABLE runs DROP COLUMN kind")
    op.drop_table("schedule_ticks")
    op.drop_table("schedules")
