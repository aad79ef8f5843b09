"""`wetread worker`: the long-running process that serves."""

from __future__ import annotations

import os

import click

from cli.metrics_options import metrics_options, with_metrics
from cli.numbers import PROCESSES


@click.command()
@click.option("--concurrency", type=PROCESSES, help="Processes that read films.  [default: one per core]")
@metrics_options
@click.pass_context
def worker(ctx: click.Context, concurrency: int | None, metrics_port: int | None, metrics_host: str | None) -> None:
    """Serve batches from the broker until stopped.

    Needs WETREAD_BROKER_URL; start as many as you like, on any machine that sees the archive and the models.
    SIGTERM ends it after the batches in hand.

    \b
    Example:
      WETREAD_BROKER_URL=redis://localhost:6379/0 wetread worker --concurrency 2
      wetread worker --metrics-port 9102
    """
    from cli.interrupting import ends_in_order
    from screening.end_signals import ORDER_SECONDS
    from wetread.queue import batch_seconds
    from wetread.settings import load_settings
    from worker.service import serve

    settings = with_metrics(load_settings(), metrics_port, metrics_host)
    with ends_in_order(batch_seconds(settings) + ORDER_SECONDS):  # Celery's own order; a batch takes no longer
        code = serve(settings, concurrency=concurrency or len(os.sched_getaffinity(0)))
    ctx.exit(code)
