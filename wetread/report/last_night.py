"""Finds the run that the morning report is on, and the nights of its schedule that had no run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from schemas.alarms import Alarm, AlarmKind
from schemas.errors import UsageError
from schemas.states import RunState, TickOutcome
from wetread.schedule.nights import LATE, NO_BEAT
from wetread.schedule.windows import read_plan, ticks
from wetread.store.core.database import Database
from wetread.store.runs.accounts import run_state
from wetread.store.schedules.nightly import LoggedMoment, is_kept, latest_ticked, moments_since, nightly_runs
from wetread.store.schedules.schedules import ScheduleRow, find_schedule, list_schedules


@dataclass(frozen=True, slots=True)
class MissedMoment:
    """A moment of a schedule for which no run was made. outcome: missed, skipped, failed or going.

    due: with the time zone of the schedule. going: the run before was at work still.
    """

    due: datetime
    outcome: str
    note: str | None


@dataclass(frozen=True, slots=True)
class LastNight:
    """A schedule in the morning. run: its latest that is not running; None where there was none yet.

    nights: without a run, since the last moment of the run before that one, newest first. alarms: what became of the
    latest night, when it was missed or failed.
    """

    schedule: str
    run: int | None
    nights: tuple[MissedMoment, ...]
    alarms: tuple[Alarm, ...]


def last_night(database: Database, schedule: str | None, now: datetime) -> LastNight:
    """Return the schedule's latest run that is not running, and the nights without a run.

    schedule: its name; None for the only one. Raises UsageError when there are none or several, or when it has no
    such run yet and no night was missed either.
    """
    with database.reading() as session:
        found = find_schedule(session, schedule or _only([one.name for one in list_schedules(session)]))
        runs = [one.run_id for one in nightly_runs(session, found.name)]
        over = [run for run in runs if run_state(session, run) not in (RunState.RUNNING, None)]
        run, before = ([*over[:2], None, None])[:2]
        moments = moments_since(session, found.id, before)
        ticked = latest_ticked(session, found.id)
        kept = is_kept(session, found.id)
    late = now - LATE
    if found.paused_at is None and not kept:
        plan = read_plan(found.cron, found.timezone, found.window)
        undecided = ticks(plan, max(found.since_at, ticked or found.since_at), late)
        moments = [*(LoggedMoment(tick, TickOutcome.MISSED, NO_BEAT) for tick in reversed(undecided)), *moments]
    zone = ZoneInfo(found.timezone)
    said = [
        MissedMoment(moment.tick.astimezone(zone), _outcome(moment, found), moment.note or _WHY.get(moment.outcome))
        for moment in moments
        if moment.outcome != TickOutcome.STARTED and (moment.outcome != "due" or moment.tick < late)
    ]
    latest = said[0] if said and said[0].due == moments[0].tick else None
    if run is None and not said:
        raise UsageError(
            f"--nightly: expected a run of {found.name!r} that is over, found none yet; `wetread report` takes any run"
        )
    return LastNight(found.name, run, tuple(said), _alarms(latest))


_WHY = {"due": "its run was to begin, and none was made", TickOutcome.GOING: "the run before was still going"}


def _outcome(moment: LoggedMoment, schedule: ScheduleRow) -> str:
    if moment.outcome in (TickOutcome.FAILED, TickOutcome.GOING):
        return str(moment.outcome)
    return "skipped" if schedule.missed == "skip" else "missed"


def _alarms(latest: MissedMoment | None) -> tuple[Alarm, ...]:
    if latest is None or latest.outcome not in ("missed", "failed"):
        return ()
    why = f": {latest.note.rstrip('.')}" if latest.note else ""
    was = "was missed" if latest.outcome == "missed" else "failed before a run was made"
    kind = AlarmKind.NIGHT_MISSED if latest.outcome == "missed" else AlarmKind.NIGHT_FAILED
    due = latest.due.isoformat(timespec="minutes")
    return (Alarm(kind, f"The night of {latest.due:%Y-%m-%d %H:%M} {was}{why}.", {"due": due, "why": latest.note}),)


def _only(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    found = ", ".join(map(repr, names))
    raise UsageError(
        f"--nightly: expected the name of a schedule, found several: {found}; name one of them"
        if names
        else "--nightly: expected a schedule, found none; see `wetread schedule add --help`"
    )
