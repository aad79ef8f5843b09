"""Logs a schedule's moments, and leases its run to one process at a time by the database's clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from schemas.states import UNFINISHED_RUNS, TickKind, TickOutcome, WhyLeft
from schemas.tables import Run, Schedule, ScheduleTick
from wetread.clock import utc_now
from wetread.store.core.database_clock import database_seconds

BEGUN = (TickOutcome.DUE, TickOutcome.STARTED)


@dataclass(frozen=True, slots=True)
class TicksSoFar:
    """What a schedule's rows say. last_tick: the newest that cron named; begun_for: the newest for which a run began.

    run_id: that run, None when it was never made or is deleted. unfinished: it can go on, or was never made. going: a
    living process is at it.
    """

    last_tick: datetime | None
    begun_for: datetime | None
    run_id: int | None
    unfinished: bool
    going: bool


def lock_schedule(session: Session, schedule_id: int) -> bool:
    """Keep others from deciding for this schedule until the transaction ends; False when it may not run any more."""
    query = select(Schedule.id).where(
        Schedule.id == schedule_id, Schedule.removed_at.is_(None), Schedule.paused_at.is_(None)
    )
    return session.scalar(query.with_for_update()) is not None


def ticks_so_far(session: Session, schedule_id: int, dead: Callable[[str], bool]) -> TicksSoFar:
    """Return what became of a schedule so far. dead: tells of a process whether it is known to have died."""
    of_schedule = ScheduleTick.schedule_id == schedule_id
    last = session.scalar(select(func.max(ScheduleTick.tick)).where(of_schedule, ScheduleTick.kind == TickKind.TICK))
    latest = session.execute(
        select(ScheduleTick.tick, ScheduleTick.outcome, Run.id, Run.state)
        .outerjoin(Run, Run.id == ScheduleTick.run_id)
        .where(of_schedule, ScheduleTick.outcome.in_(BEGUN))
        .order_by(ScheduleTick.tick.desc(), ScheduleTick.id.desc())
        .limit(1)
    ).first()
    unfinished = latest is not None and (latest.outcome == TickOutcome.DUE or latest.state in UNFINISHED_RUNS)
    begun_for, run_id = (None, None) if latest is None else (latest.tick, latest.id)
    # Whoever only tidies up after a run that has ended holds nobody up.
    going = unfinished and _is_kept(session, schedule_id, dead)
    return TicksSoFar(last, begun_for, run_id, unfinished, going)


def _is_kept(session: Session, schedule_id: int, dead: Callable[[str], bool]) -> bool:
    row = session.execute(
        select(Schedule.keeper, Schedule.keep_until, database_seconds()).where(Schedule.id == schedule_id)
    ).one()
    keeper, until, now = row
    return keeper is not None and not dead(keeper) and (until or 0.0) > now


def write_tick(
    session: Session, schedule_id: int, tick: datetime, kind: TickKind, outcome: TickOutcome, note: str | None
) -> None:
    """Write a moment down; the database refuses a second row for it."""
    session.add(
        ScheduleTick(schedule_id=schedule_id, tick=tick, kind=kind, outcome=outcome, note=note, decided_at=utc_now())
    )
    session.flush()


def attach_run(session: Session, schedule_id: int, run_id: int) -> None:
    """Say which run the newest moment that began belongs to."""
    newest = _newest_begun(session, schedule_id)
    session.execute(
        update(ScheduleTick).where(ScheduleTick.id == newest).values(run_id=run_id, outcome=TickOutcome.STARTED)
    )


def fail_tick(session: Session, schedule_id: int, note: str) -> None:
    """Say of the newest moment that began that nothing came of it, and why."""
    newest = _newest_begun(session, schedule_id)
    session.execute(update(ScheduleTick).where(ScheduleTick.id == newest).values(outcome=TickOutcome.FAILED, note=note))


def settle_tick(session: Session, schedule_id: int, note: str) -> None:
    """Say of the newest moment that began that it is over, without a run of its own, and why."""
    newest = _newest_begun(session, schedule_id)
    session.execute(
        update(ScheduleTick).where(ScheduleTick.id == newest).values(outcome=TickOutcome.STARTED, note=note)
    )


def _newest_begun(session: Session, schedule_id: int) -> int | None:
    return session.scalar(
        select(ScheduleTick.id)
        .where(ScheduleTick.schedule_id == schedule_id, ScheduleTick.outcome.in_(BEGUN))
        .order_by(ScheduleTick.tick.desc(), ScheduleTick.id.desc())
        .limit(1)
    )


def keep_schedule(session: Session, schedule_id: int, keeper: str, seconds: float) -> None:
    """Make `keeper` the process that is at the schedule's run, for so long."""
    session.execute(
        update(Schedule)
        .where(Schedule.id == schedule_id)
        .values(keeper=keeper, keep_until=database_seconds() + seconds)
    )


def still_keeps(session: Session, schedule_id: int, keeper: str, seconds: float) -> WhyLeft | None:
    """Extend the hold on the schedule, or return why to leave its run: paused, removed, or held by another."""
    row = session.execute(
        update(Schedule)
        .where(Schedule.id == schedule_id, Schedule.keeper == keeper)
        .values(keep_until=database_seconds() + seconds)
        .returning(Schedule.paused_at, Schedule.removed_at)
    ).first()
    if row is None:
        return WhyLeft.TAKEN_OVER
    return WhyLeft.REMOVED if row.removed_at else WhyLeft.PAUSED if row.paused_at else None


def leave_schedule(session: Session, schedule_id: int, keeper: str, not_before: datetime | None = None) -> None:
    """Leave the schedule to whoever comes next. not_before: when its run, which failed, is tried again."""
    session.execute(
        update(Schedule)
        .where(Schedule.id == schedule_id, Schedule.keeper == keeper)
        .values(keeper=None, keep_until=None, not_before=not_before)
    )
