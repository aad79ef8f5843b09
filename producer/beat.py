"""The long-running process that keeps the clock: it rings for what waits, and has schedules run when they are due.

The same loop in both ways to run. Two of these harm nothing: a batch that was rung for is not rung for again before
its ring counts as lost, and a schedule's moment is written once, by one of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import structlog

from producer.night_watch import NightWatch
from schemas.errors import DatabaseReplaced, WetreadError
from wetread.clock import utc_now
from wetread.queue import make_app, queue_length, ring_waiting
from wetread.settings import Settings
from wetread.store.database import Database
from wetread.store.migrating import ensure_schema


def keep_time(
    settings: Settings,
    stop: threading.Event,
    swept: Callable[[bool], object] = lambda _made: None,
    nights: NightWatch | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> None:
    """Ring and look at the schedules every `sweep_seconds` until `stop` is set.

    swept: told after each pass whether all of it was done. nights: who runs the schedules; without it they wait for
    another beat. Raises ServiceUnavailable when the database or the broker does not answer at the start. Later they
    are waited for.
    """
    database = Database(settings.database)
    try:
        ensure_schema(database)
        tasks: list[Callable[[], object]] = []
        if settings.broker is not None:
            app = make_app(settings)
            queue_length(app, settings)
            tasks.append(lambda: ring_waiting(database, app, settings))
        if nights is not None:
            tasks.append(lambda: nights.look(database, clock()))
        while True:
            made = [_made(task) for task in tasks]
            swept(all(made))
            if stop.wait(settings.sweep_seconds):
                return
    finally:
        if nights is not None:
            nights.end()
        database.dispose()


def _made(task: Callable[[], object]) -> bool:
    try:
        task()
    except DatabaseReplaced:  # whoever starts beat again has it open what is there now
        raise
    except WetreadError as error:  # a full disk too: whatever it is, the next sweep may find it mended
        structlog.get_logger().warning("a sweep was missed; the next one follows", why=str(error))
        return False
    return True
