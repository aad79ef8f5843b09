"""Lists the runs of schedules, and what became of each moment of a schedule, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from schemas.errors import UsageError
from schemas.states import RunState, TickKind, TickOutcome
from schemas.tables import Run, Schedule, ScheduleTick
from wetread.nearest import no_such
from wetread.store.core.database_clock import database_seconds


@dataclass(frozen=True, slots=True)
class NightlyRun:
    """A run that a schedule began.

    begun_for: the moment that it was begun for.
    nights: how many moments it worked for; a run unfinished at the end of its window continues in the next one.
    """

    run_id: int
    schedule: str
    timezone: str
    begun_for: datetime
    nights: int


@dataclass(frozen=True, slots=True)
class TickRow:
    """A moment of a schedule and what became of it. run_state: None where no run belongs to it, or not any more."""

    schedule: str
    timezone: str
    tick: datetime
    kind: TickKind
    outcome: TickOutcome
    note: str | None
    run_id: int | None
    run_state: RunState | None


def nightly_runs(session: Session, schedule: str | None = None, *, limit: int = 50) -> list[NightlyRun]:
    """Return the runs of schedules, newest first: of all of them, or of the one with this name.

    Removed schedules count too. Moments at which a run was going already do not count as nights of it.
    """
    query = (
        select(Run.id, Schedule.name, Schedule.timezone, func.min(ScheduleTick.tick), func.count())
        .join(Schedule, Schedule.id == ScheduleTick.schedule_id)
        .join(Run, Run.id == ScheduleTick.run_id)
        .where(ScheduleTick.outcome == TickOutcome.STARTED)
        .group_by(Run.id, Schedule.id, Schedule.name, Schedule.timezone)
        .order_by(Run.id.desc())
        .limit(limit)
    )
    if schedule is not None:
        query = query.where(Schedule.name == schedule)
    return [NightlyRun(run, name, zone, tick, count) for run, name, zone, tick, count in session.execute(query)]


def _check_was(session: Session, name: str) -> None:
    names = session.scalars(select(Schedule.name).distinct().order_by(Schedule.name)).all()
    if name not in names:
        hint = no_such(name, names) if names else f"found {name!r}; none was made yet: `wetread schedule add --help`"
        raise UsageError(f"expected a schedule that is or was, {hint}")


def tick_history(session: Session, schedule: str | None = None, *, limit: int = 50) -> list[TickRow]:
    """Return what became of the moments of schedules, newest first: of all of them, or of the one with this name.

    Raises UsageError for a name that no schedule has or had.
    """
    if schedule is not None:
        _check_was(session, schedule)
    query = (
        select(ScheduleTick, Schedule.name, Schedule.timezone, Run.state)
        .join(Schedule, Schedule.id == ScheduleTick.schedule_id)
        .outerjoin(Run, Run.id == ScheduleTick.run_id)
        .order_by(ScheduleTick.tick.desc(), ScheduleTick.id.desc())
        .limit(limit)
    )
    if schedule is not None:
        query = query.where(Schedule.name == schedule)
    return [
        TickRow(
            name, zone, row.tick, TickKind(row.kind), TickOutcome(row.outcome), row.note, row.run_id,
            None if state is None else RunState(state),
        )
        for row, name, zone, state in session.execute(query)
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class LoggedMoment:
    """A moment of a schedule, and what became of it."""

    tick: datetime
    outcome: str
    note: str | None


def moments_since(session: Session, schedule_id: int, run_id: int | None, *, limit: int = 31) -> list[LoggedMoment]:
    """Return the moments of a schedule after the last one of its run `run_id`, or all: the latest, newest first."""
    query = select(ScheduleTick.tick, ScheduleTick.outcome, ScheduleTick.note)
    query = query.where(ScheduleTick.schedule_id == schedule_id)
    if run_id is not None:
        last = select(func.max(ScheduleTick.tick)).where(ScheduleTick.run_id == run_id)
        query = query.where(ScheduleTick.tick > last.scalar_subquery())
    rows = session.execute(query.order_by(ScheduleTick.tick.desc()).limit(limit))
    return [LoggedMoment(tick, outcome, note) for tick, outcome, note in rows]


def latest_ticked(session: Session, schedule_id: int) -> datetime | None:
    """Return the latest moment of the cron expression that has an outcome, or None."""
    query = select(func.max(ScheduleTick.tick))
    moment: datetime | None = session.scalar(
        query.where(ScheduleTick.schedule_id == schedule_id, ScheduleTick.kind == TickKind.TICK)
    )
    return moment


def is_kept(session: Session, schedule_id: int) -> bool:
    """Return whether a process is at a run of this schedule, by its lease."""
    query = select(Schedule.id).where(Schedule.id == schedule_id, Schedule.keep_until > database_seconds())
    return session.scalar(query) is not None
