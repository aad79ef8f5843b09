"""Stores schedules: made, listed, paused, removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.errors import UsageError
from schemas.films import ACCEPTED, Accepted
from schemas.tables import Schedule
from schemas.walk_rules import USUAL_WALK, WalkRules


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """A schedule as it is stored. window: HH:MM to HH:MM, or None for the whole day; missed: run or skip.

    since_at: ticks before it do not count. not_before: when a run that failed is tried again. shadow: a model that
    reads along. rules: how the directories are walked. accepted: words of DICOM headers that are read although they
    name something else. pull: what is fetched into the root first; None where nothing is.
    """

    id: int
    name: str
    root_ids: tuple[int, ...]
    cron: str
    timezone: str
    window: tuple[str, str] | None
    model: str
    engine: str
    missed: str
    created_at: datetime
    since_at: datetime
    paused_at: datetime | None
    not_before: datetime | None
    keeper: str | None
    shadow: str | None = None
    rules: WalkRules = USUAL_WALK
    accepted: Accepted = ACCEPTED
    pull: dict[str, Any] | None = None


def add_schedule(
    session: Session,
    *,
    name: str,
    root_ids: Sequence[int],
    cron: str,
    timezone: str,
    window: tuple[str, str] | None,
    model: str,
    engine: str,
    missed: str,
    now: datetime,
    shadow: str | None = None,
    rules: WalkRules | None = None,
    accepted: Accepted = ACCEPTED,
    pull: dict[str, Any] | None = None,
) -> int:
    """Store a schedule that was checked; return its id. Raises UsageError when the name is taken."""
    if _named(session, name) is not None:
        raise UsageError(f"expected a new name, found a schedule {name!r}; remove it first, or choose another name")
    start, end = window or (None, None)
    row = Schedule(
        name=name, root_ids=list(root_ids), cron=cron, timezone=timezone, window_start=start, window_end=end,
        model=model, engine=engine, missed=missed, created_at=now, since_at=now, shadow=shadow,
        walk_rules=(rules or WalkRules()).to_json(),
        accepts=accepted.to_json(), pull=pull,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row.id


def change_schedule(session: Session, schedule: ScheduleRow, now: datetime) -> None:
    """Store what `schedule` says now of when, what and how it reads; where its hours changed they count from `now` on.

    Raises UsageError when it was removed meanwhile.
    """
    found = session.get(Schedule, schedule.id, with_for_update=True)
    if found is None or found.removed_at is not None:
        raise UsageError(f"expected a schedule, found none named {schedule.name!r}: it was removed meanwhile")
    before = _row(found)
    if (before.cron, before.timezone, before.window) != (schedule.cron, schedule.timezone, schedule.window):
        found.since_at = now
    found.root_ids, found.cron, found.timezone = list(schedule.root_ids), schedule.cron, schedule.timezone
    found.window_start, found.window_end = schedule.window or (None, None)
    found.model, found.shadow, found.engine = schedule.model, schedule.shadow, schedule.engine
    found.missed, found.walk_rules, found.not_before = schedule.missed, schedule.rules.to_json(), None
    found.accepts, found.pull = schedule.accepted.to_json(), schedule.pull


def list_schedules(session: Session) -> list[ScheduleRow]:
    """Return the schedules that were not removed, by name."""
    query = select(Schedule).where(Schedule.removed_at.is_(None)).order_by(Schedule.name)
    return [_row(found) for found in session.scalars(query)]


def find_schedule(session: Session, name: str, *, lock: bool = False) -> ScheduleRow:
    """Return the schedule of this name; raise UsageError listing those there are.

    lock: nobody else decides for it until the transaction ends.
    """
    found = _found(session, name)
    if lock:
        session.refresh(found, with_for_update=True)
    return _row(found)


def pause_schedule(session: Session, name: str, now: datetime) -> bool:
    """Let no run of it begin or go on; return False when it was paused already."""
    found = _found(session, name)
    if found.paused_at is not None:
        return False
    found.paused_at = now
    return True


def resume_schedule(session: Session, name: str, now: datetime) -> bool:
    """Let it run again, from its next tick on; return False when it was not paused."""
    found = _found(session, name)
    if found.paused_at is None:
        return False
    found.paused_at, found.since_at, found.not_before = None, now, None
    return True


def remove_schedule(session: Session, name: str, now: datetime) -> None:
    """Take a schedule out of use. What it did stays in the history; its name is free."""
    _found(session, name).removed_at = now


def _named(session: Session, name: str) -> Schedule | None:
    return session.scalar(select(Schedule).where(Schedule.name == name, Schedule.removed_at.is_(None)))


def _found(session: Session, name: str) -> Schedule:
    found = _named(session, name)
    if found is None:
        known = ", ".join(repr(row.name) for row in list_schedules(session))
        hint = f"there are: {known}" if known else "there is none yet; see `wetread schedule add --help`"
        raise UsageError(f"expected a schedule, found none named {name!r}; {hint}")
    return found


def _row(found: Schedule) -> ScheduleRow:
    window = (found.window_start, found.window_end) if found.window_start and found.window_end else None
    return ScheduleRow(
        found.id, found.name, tuple(found.root_ids), found.cron, found.timezone, window, found.model, found.engine,
        found.missed, found.created_at, found.since_at, found.paused_at, found.not_before, found.keeper,
        found.shadow, WalkRules.from_json(found.walk_rules), Accepted.from_json(found.accepts),
        found.pull,
    )  # fmt: skip
