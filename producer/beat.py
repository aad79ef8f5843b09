"""Beat's loop: rings the broker for waiting batches, and starts schedules when they are due.

The same loop in both ways to run. Two of these harm nothing: a batch that was rung for is not rung for again before
its ring counts as lost, and a schedule's moment is written once, by one of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from producer.night_watch import NightWatch
from schemas.errors import DatabaseReplaced, UsageError
from wetread.clock import utc_now
from wetread.logs import announce
from wetread.queue import make_app, queue_length, ring_waiting
from wetread.schedule.windows import next_tick, read_plan
from wetread.settings import Settings, safe_url
from wetread.store.core.database import Database
from wetread.store.core.limits import SWEEPING
from wetread.store.core.migrating import ensure_schema
from wetread.store.schedules.schedules import list_schedules
from wetread.supervised_threads import say_missed


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
    database = Database(settings.database, writes=SWEEPING)
    try:
        ensure_schema(database)
        tasks: list[Callable[[], object]] = []
        if settings.broker is not None:
            app = make_app(settings)
            queue_length(app, settings)
            tasks.append(lambda: ring_waiting(database, app, settings))
        if nights is not None:
            tasks.append(lambda: nights.look(database, clock()))
        announce("beat is ready", **_standing(database, settings, clock()))
        while True:
            made = [_made(task) for task in tasks]
            swept(all(made))
            if stop.wait(settings.sweep_seconds):
                return
    finally:
        if nights is not None:
            nights.end()
        database.dispose()


def _standing(database: Database, settings: Settings, now: datetime) -> dict[str, object]:
    """Return what beat serves, where, and the schedule that comes next; a schedule is known by its number."""
    with database.reading() as session:
        schedules = [one for one in list_schedules(session) if one.paused_at is None]
    due = []
    for one in schedules:
        with suppress(UsageError):  # said by each look
            if (tick := next_tick(read_plan(one.cron, one.timezone, one.window), now)) is not None:
                due.append((tick, one.id))
    coming = "no schedule is due" if not due else f"schedule {min(due)[1]} at {min(due)[0].isoformat()}"
    return {
        "schedules": len(schedules),
        "database": safe_url(settings.database),
        "broker": safe_url(settings.broker or "none"),
        "next": f"{coming}; SIGTERM ends it",
    }


def _made(task: Callable[[], object]) -> bool:
    try:
        task()
    except DatabaseReplaced:  # whoever starts beat again has it open what is there now
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the next sweep may find it mended
        say_missed("a sweep was missed; the next one follows", error)
        return False
    return True
