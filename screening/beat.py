"""Runs beat until it is told to stop: it runs the schedules, and rings the broker for waiting batches."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from producer.beat import keep_time
from producer.night_watch import NightWatch, OurNight
from screening.night import NightRunner
from wetread.clock import utc_now
from wetread.settings import Settings
from wetread.store.core.database import Database
from worker.identity import died_here, worker_id


def run_beat(
    settings: Settings,
    stop: threading.Event,
    workers: int,
    swept: Callable[[bool], object],
    clock: Callable[[], datetime] = utc_now,
    pulls: Callable[[NightRunner, OurNight], None] | None = None,
) -> None:
    """Keep the time until `stop` is set.

    workers: processes of our own in all, without a broker. swept: told after each pass whether all of it was done.
    clock: tells the time, for tests. pulls: runs a night that fetches its films first.
    """
    database = Database(settings.database)
    try:
        runner = NightRunner(database, settings, workers, clock)

        def run(night: OurNight) -> None:
            if night.schedule.pull is None or pulls is None:
                runner.run(night)
            else:
                pulls(runner, night)

        nights = NightWatch(worker_id(), died_here, run, clock, settings.sweep_seconds)
        keep_time(settings, stop, swept, nights, clock)
    finally:
        database.dispose()
