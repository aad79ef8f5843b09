"""Looks at the schedules, and runs those that are due, each in a thread of its own.

A schedule's run is kept by one process under a lease. When that process dies, another beat that looks goes on with the
same run; when the schedule is paused or removed meanwhile, the run is left.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from schemas.errors import RootUnavailable, UsageError, WetreadError
from schemas.states import TickKind, TickOutcome
from wetread.clock import utc_now
from wetread.schedule.nights import MADE_UP, Moment, ScheduleState, decide
from wetread.schedule.windows import read_plan
from wetread.store.core.database import Database
from wetread.store.schedules.schedule_log import (
    keep_schedule,
    leave_schedule,
    lock_schedule,
    still_keeps,
    ticks_so_far,
    write_tick,
)
from wetread.store.schedules.schedules import ScheduleRow, list_schedules
from wetread.supervised_threads import say_missed

KEEP_SECONDS = 60.0
"""Seconds of silence, at least, after which the process at a schedule's run counts as gone."""

LOOKS_MISSED = 4
"""Looks at the schedules that it may miss, where they are far apart."""

AGAIN = timedelta(minutes=5)
"""How long a run that failed rests before it is tried again, within its window."""


@dataclass(slots=True)
class OurNight:
    """A schedule's run that is ours, until `until` (None: to its end). leave: set when it is to be left, and why."""

    schedule: ScheduleRow
    until: datetime | None
    leave: threading.Event = field(default_factory=threading.Event)
    why: str = ""

    def leave_now(self, why: str) -> None:
        """Ask the run to be left in order."""
        self.why = self.why or why
        self.leave.set()


RunNight = Callable[[OurNight], None]
"""Runs a schedule until its end or until the night's, and leaves it so that it can go on."""


@dataclass(slots=True)
class NightWatch:
    """Holds the nights of one process. me: its id; dead: tells of a process whether it is known to have died.

    every: seconds between two looks.
    """

    me: str
    dead: Callable[[str], bool]
    run: RunNight
    clock: Callable[[], datetime] = utc_now
    every: float = 0.0
    _nights: dict[int, tuple[OurNight, threading.Thread]] = field(default_factory=dict)

    def look(self, database: Database, now: datetime) -> None:
        """Decide for each schedule what is due by `now`, and begin it."""
        self._nights = {key: held for key, held in self._nights.items() if held[1].is_alive()}
        for night, _ in self._nights.values():
            with database.writing() as session:
                why = still_keeps(session, night.schedule.id, self.me, self._keep)
            if why is not None:
                night.leave_now(why)
        with database.reading() as session:
            schedules = list_schedules(session)
        for schedule in schedules:
            if schedule.paused_at is None and schedule.id not in self._nights:
                try:
                    self._look_at(database, schedule, now)
                except UsageError as error:  # such as a time zone that this machine does not know
                    structlog.get_logger().error("a schedule cannot be read here", schedule=schedule.id, why=str(error))

    @property
    def _keep(self) -> float:
        return max(KEEP_SECONDS, LOOKS_MISSED * self.every)

    @property
    def going(self) -> int:
        """Return how many runs of schedules this process is at."""
        return sum(1 for _, thread in self._nights.values() if thread.is_alive())

    def end(self) -> None:
        """Leave all runs in order, and wait until they are."""
        for night, _ in self._nights.values():
            night.leave_now("beat was stopped; it goes on when beat is back")
        for _, thread in self._nights.values():
            thread.join()

    def _look_at(self, database: Database, schedule: ScheduleRow, now: datetime) -> None:
        plan = read_plan(schedule.cron, schedule.timezone, schedule.window)
        with database.writing() as session:
            if not lock_schedule(session, schedule.id):
                return
            so_far = ticks_so_far(session, schedule.id, self.dead)
            since = max(schedule.since_at, so_far.last_tick or schedule.since_at)
            standing = ScheduleState(since, so_far.going, so_far.unfinished, so_far.begun_for, schedule.not_before)
            decision = decide(plan, standing, now, make_up=schedule.missed == "run")
            for moment in decision.moments:
                write_tick(session, schedule.id, moment.tick, moment.kind, moment.outcome, moment.note)
            if decision.span is not None:
                keep_schedule(session, schedule.id, self.me, self._keep)
        for moment in decision.moments:
            _say(schedule, moment, so_far.run_id)
        if decision.span is not None:
            self._begin(database, OurNight(schedule, decision.span.end))

    def _begin(self, database: Database, night: OurNight) -> None:
        thread = threading.Thread(target=self._run, args=(database, night), name="night")
        self._nights[night.schedule.id] = (night, thread)
        thread.start()

    def _run(self, database: Database, night: OurNight) -> None:
        again = None
        try:
            self.run(night)
        except WetreadError as error:
            again = self.clock() + AGAIN
            # A root's path is in the run's note, and not in logs.
            why = "its archive cannot be reached" if isinstance(error, RootUnavailable) else str(error)
            structlog.get_logger().error("a run of a schedule was left", schedule=night.schedule.id, why=why)
        except Exception as error:  # noqa: BLE001 - of this night alone; the next look begins it again
            again = self.clock() + AGAIN
            say_missed("a run of a schedule was left", error, schedule=night.schedule.id)
        finally:
            with suppress(WetreadError), database.writing() as session:  # otherwise its lease runs out by itself
                leave_schedule(session, night.schedule.id, self.me, again)


def _say(schedule: ScheduleRow, moment: Moment, run_before: int | None) -> None:
    """Log what becomes of a moment. What begins is said again, with its run, when that is opened."""
    log = structlog.get_logger().bind(schedule=schedule.id, tick=moment.tick.isoformat())
    if moment.outcome == TickOutcome.MISSED:
        log.warning("a tick of a schedule was missed", why=moment.note)
    elif moment.outcome == TickOutcome.GOING:
        log.warning("a tick of a schedule found the run before still going", run=run_before)
    elif moment.note == MADE_UP:
        log.warning("a tick of a schedule that was missed is made up late")
    elif moment.kind == TickKind.OPENING:
        log.info("a window opened; the unfinished run of a schedule goes on", run=run_before)
    else:
        log.info("a tick of a schedule is due")
