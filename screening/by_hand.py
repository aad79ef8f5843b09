"""Runs a schedule by hand: records its moment, and holds the schedule while the run goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from producer.night_watch import KEEP_SECONDS
from schemas.errors import ServiceUnavailable, UsageError
from schemas.states import TickKind, TickOutcome
from screening.order import Look
from wetread.clock import utc_now
from wetread.store.core.database import Database
from wetread.store.runs.accounts import RunAccount
from wetread.store.schedules.schedule_log import keep_schedule, leave_schedule, still_keeps, ticks_so_far, write_tick
from wetread.store.schedules.schedules import ScheduleRow, find_schedule
from worker.identity import died_here, worker_id

RENEW_SECONDS = 10.0
"""Seconds between two renewals of our hold on the schedule."""


@contextmanager
def taken_schedule(database: Database, name: str) -> Iterator[ScheduleRow]:
    """Hold the schedule of this name in the block, with a moment by hand that its run belongs to.

    Raises UsageError when there is none of that name, or when a process is at its run.
    """
    with database.writing() as session:
        schedule = find_schedule(session, name, lock=True)
        if ticks_so_far(session, schedule.id, died_here).going:
            raise UsageError(f"{name} is being run already: see `wetread schedule history` and `wetread status`")
        write_tick(session, schedule.id, utc_now(), TickKind.MANUAL, TickOutcome.DUE, "by hand")
        keep_schedule(session, schedule.id, worker_id(), KEEP_SECONDS)
    try:
        yield schedule
    finally:
        with database.writing() as session:
            leave_schedule(session, schedule.id, worker_id())


class Hold:
    """Renews our hold on a schedule as its run is looked at, and tells `look` of the accounts."""

    def __init__(self, database: Database, schedule_id: int, look: Look) -> None:
        self._database, self._schedule_id, self._look = database, schedule_id, look
        self._renewed = time.monotonic()

    def __call__(self, account: RunAccount) -> None:
        """Look at `account`."""
        self._look(account)
        if time.monotonic() - self._renewed > RENEW_SECONDS:
            self._renewed = time.monotonic()
            # Away just now: the screening waits for it, and the hold outlasts some renewals.
            with suppress(ServiceUnavailable), self._database.writing() as session:
                still_keeps(session, self._schedule_id, worker_id(), KEEP_SECONDS)
