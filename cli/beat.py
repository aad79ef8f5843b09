"""`wetread beat`: the long-running process that runs schedules and sweeps."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from cli.metrics_options import metrics_options, with_metrics
from cli.numbers import PROCESSES

if TYPE_CHECKING:
    from producer.night_watch import OurNight
    from screening.night import NightRunner
    from wetread.settings import Settings


@click.command()
@click.option(
    "--workers",
    type=PROCESSES,
    help="Worker processes that all schedules share, without a broker.  [default: one per core]",
)
@metrics_options
def beat(workers: int | None, metrics_port: int | None, metrics_host: str | None) -> None:
    """Run the schedules, and notify workers of waiting batches, until stopped.

    Without WETREAD_BROKER_URL the films are read by processes of this command; with it, by workers. Workers ring too,
    while they live; beat does so when all of them are gone. Two beats harm nothing. SIGTERM ends it: what is pending
    goes on when it is back.

    \b
    Example:
      wetread beat
      WETREAD_BROKER_URL=redis://localhost:6379/0 wetread beat
      wetread beat --metrics-port 9101
    """
    from cli.interrupting import noted_interrupts
    from screening.beat import run_beat
    from screening.end_signals import ORDER_SECONDS
    from wetread.liveness import SignFile
    from wetread.settings import load_settings
    from worker.pool import END_SECONDS

    with suppress(KeyboardInterrupt), noted_interrupts(order_seconds=ORDER_SECONDS + END_SECONDS) as stop:
        settings = with_metrics(load_settings(), metrics_port, metrics_host)
        count, signs = _opened_metrics(settings), SignFile("beat", settings.database)

        def swept(made: bool) -> None:
            signs.touch()
            count(made)

        try:
            run_beat(settings, stop, workers or len(os.sched_getaffinity(0)), swept, pulls=_pulled)
        finally:
            signs.remove()


def _pulled(runner: NightRunner, night: OurNight) -> None:
    from cli.pacs_extra import check_pacs

    check_pacs()
    from gateway.pulling.nights import pull_night

    pull_night(runner, night)


def _opened_metrics(settings: Settings) -> Callable[[bool], None]:
    """Open the port where one is asked for; return what counts a sweep."""
    if settings.metrics_port is None:
        return lambda _made: None
    from worker.metrics_port import counting_processes

    own = counting_processes() if settings.broker is None else ()  # before anything imports Prometheus's client
    from wetread.metrics.beat import BeatCollector, beat_registry
    from wetread.metrics.port import open_port
    from wetread.queue import make_app, queue_length
    from wetread.store.core.database import Database
    from wetread.store.runs.totals import Totals, read_totals
    from wetread.store.work.workers import SeenWorker, seen_workers

    database = Database(settings.database)

    def totals() -> Totals:
        with database.reading() as session:
            return read_totals(session)

    def workers() -> list[SeenWorker]:
        with database.reading() as session:
            return seen_workers(session)

    queue = None if settings.broker is None else (lambda: queue_length(make_app(settings), settings))
    standing = BeatCollector(totals, workers, queue)
    open_port(beat_registry(standing, *own), settings.metrics_host, settings.metrics_port)
    return standing.swept
