"""`wetread beat`: the long-running process that keeps the clock."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import TYPE_CHECKING

import click

from cli.metrics_options import metrics_options, with_metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from wetread.settings import Settings


@click.command()
@metrics_options
def beat(metrics_port: int | None, metrics_host: str | None) -> None:
    """Ring for what waits, until stopped.

    Workers do so too, while they live; beat does so when all of them are gone, and so that what was submitted then
    is rung for when the first one is back. Needs WETREAD_BROKER_URL. SIGTERM ends it.

    \b
    Example:
      WETREAD_BROKER_URL=redis://localhost:6379/0 wetread beat
      wetread beat --metrics-port 9101
    """
    from producer.beat import keep_ringing
    from wetread.liveness import SignFile
    from wetread.settings import load_settings

    stop = threading.Event()

    def end(_signum: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    settings = with_metrics(load_settings(), metrics_port, metrics_host)
    count, signs = _opened_metrics(settings), SignFile("beat")

    def swept(made: bool) -> None:
        signs.touch()
        count(made)

    try:
        keep_ringing(settings, stop, swept)
    finally:
        signs.remove()


def _opened_metrics(settings: Settings) -> Callable[[bool], None]:
    """Open the port where one is asked for; return what counts a sweep."""
    if settings.metrics_port is None:
        return lambda _made: None
    from wetread.metrics.beat import Standing, beat_registry
    from wetread.metrics.port import open_port
    from wetread.queue import make_app, queue_length
    from wetread.store.database import Database
    from wetread.store.totals import Totals, read_totals
    from wetread.store.workers import SeenWorker, seen_workers

    database = Database(settings.database)

    def totals() -> Totals:
        with database.reading() as session:
            return read_totals(session)

    def workers() -> list[SeenWorker]:
        with database.reading() as session:
            return seen_workers(session)

    queue = None if settings.broker is None else (lambda: queue_length(make_app(settings), settings))
    standing = Standing(totals, workers, queue)
    open_port(beat_registry(standing), settings.metrics_host, settings.metrics_port)
    return standing.swept
