"""The tables of schedules; `schemas.tables` gives them together with the others."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Float, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from schemas.table_base import WALK_RULES, Base, BigId, UtcDateTime


class Schedule(Base):
    """Roots that are screened by themselves: when, within which hours, by which model."""

    __tablename__ = "schedules"
    __table_args__ = (
        Index(
            "uq_schedules_name",
            "name",
            unique=True,
            sqlite_where=text("removed_at IS NULL"),
            postgresql_where=text("removed_at IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    root_ids: Mapped[list[int]] = mapped_column(JSON)
    cron: Mapped[str] = mapped_column(String(200), comment="five fields, in timezone")
    timezone: Mapped[str] = mapped_column(String(64), comment="a name of the tz database")
    window_start: Mapped[str | None] = mapped_column(String(5), comment="HH:MM; nothing is read outside the window")
    window_end: Mapped[str | None] = mapped_column(String(5), comment="HH:MM; may be of the next day")
    model: Mapped[str] = mapped_column(String(200), comment="as it was named; looked up anew for each run")
    engine: Mapped[str] = mapped_column(String(16), comment="numpy, keras or onnx")
    missed: Mapped[str] = mapped_column(
        String(8), comment="run or skip: what becomes of a tick that beat slept through"
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    since_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="ticks before it do not count: made, or resumed")
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    not_before: Mapped[datetime | None] = mapped_column(UtcDateTime, comment="when a run that failed is tried again")
    keeper: Mapped[str | None] = mapped_column(String(128), comment="the process that is at its run")
    shadow: Mapped[str | None] = mapped_column(
        String(200), comment="a second model that reads along, as it was named; looked up anew for each run"
    )
    walk_rules: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), comment=WALK_RULES)
    accepts: Mapped[dict[str, list[str]] | None] = mapped_column(JSON(none_as_null=True), comment="words read anyway")
    pull: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True), comment="what is fetched first, and whence"
    )
    keep_until: Mapped[float | None] = mapped_column(Float, comment="when that process counts as gone, as a lease")


class ScheduleTick(Base):
    """One moment of a schedule, and what became of it; of several processes that see it only one can write it."""

    __tablename__ = "schedule_ticks"
    __table_args__ = (UniqueConstraint("schedule_id", "tick"), Index("ix_schedule_ticks_run_id", "run_id"))
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedules.id"))
    tick: Mapped[datetime] = mapped_column(UtcDateTime, comment="when it was due")
    kind: Mapped[str] = mapped_column(String(16), comment="tick, opening of the window with work left, or manual")
    outcome: Mapped[str] = mapped_column(String(16), comment="started, going, missed or failed")
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"))
    note: Mapped[str | None] = mapped_column(Text, comment="why it was missed or failed")
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
