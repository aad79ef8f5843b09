"""A schedule's run by hand: the same run as beat's, shown as `wetread screen` shows it."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from cli.accounts import account_json, read_shadows, run_exit_code, show_account
from cli.alarms import alarmed_exit_code, say_alarms
from cli.context import opened_database
from cli.interrupting import noted_interrupts
from cli.output import emit_json, say
from cli.progress_of_both import ProgressOfBoth, say_opened
from producer.night_watch import KEEP_SECONDS, Night
from schemas.errors import EXIT_FAILED, EXIT_INTERRUPTED, ServiceUnavailable, UsageError
from schemas.states import TickKind, TickOutcome
from screening.night import NightRunner
from wetread.clock import utc_now
from wetread.store.accounts import RunAccount
from wetread.store.alarms import run_alarms
from wetread.store.database import Database
from wetread.store.schedules import ScheduleRow, find_schedule
from wetread.store.ticks import keep_schedule, leave_schedule, still_keeps, ticks_so_far, write_tick
from worker.identity import died_here, worker_id

RENEW_SECONDS = 10.0
"""Seconds between two renewals of our hold on the schedule."""


def run_schedule_now(name: str, workers: int | None, *, as_json: bool) -> int:
    """Run the schedule and print its accounts; return the exit code. Raises UsageError when it is being run."""
    with opened_database() as (settings, database), noted_interrupts() as asked:
        schedule = _take(database, name)
        night = Night(schedule, None, asked, "interrupted; beat goes on with it in the next window")
        try:
            runner = NightRunner(database, settings, workers or len(os.sched_getaffinity(0)), utc_now)
            screening = runner.open(night)
            if screening is None:
                return EXIT_FAILED
            say_opened(screening.opened, screening.shadow)
            with ProgressOfBoth() as progress:
                keep = _Keep(database, schedule.id, progress)
                try:
                    account = runner.read(screening, night, keep)
                except KeyboardInterrupt:
                    say("\ninterrupted; nothing is lost: beat goes on with it in the schedule's next window")
                    return EXIT_INTERRUPTED
            shadows = read_shadows(database, account.id)
        finally:
            with database.writing() as session:
                leave_schedule(session, schedule.id, worker_id())
    pace = {"images_per_second": progress.run.images_per_second, "seconds": progress.run.seconds}
    pace["max_failure_rate"], alarms = 1.0, run_alarms(account, max_failure_rate=1.0)
    if as_json:
        emit_json(account_json(account, shadows, **pace))
        say_alarms(alarms)
    else:
        show_account(account, shadows, **pace)
    return alarmed_exit_code(run_exit_code(account, 1.0), alarms)


class _Keep:
    """Shows the run, and holds the schedule while it goes."""

    def __init__(self, database: Database, schedule_id: int, progress: ProgressOfBoth) -> None:
        self._database, self._schedule_id, self._progress = database, schedule_id, progress
        self._renewed = time.monotonic()

    def __call__(self, account: RunAccount) -> None:
        self._progress(account)
        if time.monotonic() - self._renewed > RENEW_SECONDS:
            self._renewed = time.monotonic()
            # Away just now: the screening waits for it, and the hold outlasts some renewals.
            with suppress(ServiceUnavailable), self._database.writing() as session:
                still_keeps(session, self._schedule_id, worker_id(), KEEP_SECONDS)


def _take(database: Database, name: str) -> ScheduleRow:
    with database.writing() as session:
        schedule = find_schedule(session, name, lock=True)
        if ticks_so_far(session, schedule.id, died_here).going:
            raise UsageError(f"{name} is being run already: see `wetread schedule history` and `wetread status`")
        write_tick(session, schedule.id, utc_now(), TickKind.MANUAL, TickOutcome.DUE, "by hand")
        keep_schedule(session, schedule.id, worker_id(), KEEP_SECONDS)
    return schedule
