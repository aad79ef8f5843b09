"""The long-running process that keeps ringing for what waits, whether or not a worker lives to do so."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from schemas.errors import WetreadError
from wetread.queue import make_app, queue_length, ring_waiting
from wetread.settings import Settings
from wetread.store.database import Database
from wetread.store.migrating import ensure_schema


def keep_ringing(
    settings: Settings, stop: threading.Event, swept: Callable[[bool], object] = lambda _made: None
) -> None:
    """Sweep every `sweep_seconds` until `stop` is set; `swept` is told after each whether it was made.

    Two of these harm nothing: a batch that was rung for is not rung for again before its ring counts as lost.
    Raises ServiceUnavailable when the database or the broker does not answer at the start. Later they are waited for.
    """
    database = Database(settings.database)
    try:
        ensure_schema(database)
        app = make_app(settings)
        queue_length(app, settings)
        while True:
            try:
                ring_waiting(database, app, settings)
                swept(True)
            except WetreadError as error:  # a full disk too: whatever it is, the next sweep may find it mended
                swept(False)
                structlog.get_logger().warning("a sweep was missed; the next one follows", why=str(error))
            if stop.wait(settings.sweep_seconds):
                return
    finally:
        database.dispose()
