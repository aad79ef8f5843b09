"""`wetread status`: how far a run is."""

from __future__ import annotations

import sys
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from cli.context import asked_database
from cli.output import emit_json, emit_table
from cli.run_number import RUN_NUMBER
from schemas.errors import EXIT_INTERRUPTED, ServiceUnavailable
from schemas.states import RunState

if TYPE_CHECKING:
    from wetread.store.core.database import Database

WATCH_SECONDS = 1.0


@click.command()
@click.argument("run", type=RUN_NUMBER, required=False)
@click.option("--watch", is_flag=True, help="Show the run and its workers live, until q, or until the named run ends.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def status(ctx: click.Context, run: int | None, watch: bool, as_json: bool) -> None:
    """Show the progress of a run: the latest, or the run with this number.

    --watch draws a page on a terminal, of all that goes on: runs, rate, time left, the workers' processes with their
    batch and memory, and what failed. q ends it, or Ctrl-C with exit 130. Elsewhere, and with --json, it waits for the
    run's end, and says now and then on stderr how far it is.

    \b
    Example:
      wetread status --json
      wetread status --watch
      wetread status 12 --watch
    """
    from cli.accounts import show_account
    from cli.interrupting import noted_interrupts
    from wetread.store.received.received_films import ReceivedTotals, read_received
    from wetread.store.runs.accounts import run_account
    from wetread.views.accounts import account_json, account_pace, read_shadows

    with asked_database() as (_, database):
        if watch:
            with noted_interrupts() as asked:
                if sys.stdout.isatty() and not as_json:
                    from cli.watching import watch_page

                    if not watch_page(database, run, asked):
                        ctx.exit()
                else:
                    run = _wait(database, run, asked)
            if asked.is_set():
                ctx.exit(EXIT_INTERRUPTED)
        with database.reading() as session:
            account, came = run_account(session, run), read_received(session)
        shadows = read_shadows(database, account.id)
    rate, seconds = account_pace(account)
    if as_json:
        body = account_json(account, shadows, images_per_second=rate, seconds=seconds)
        emit_json(body | {"received": asdict(came)})
    else:
        show_account(account, shadows, images_per_second=rate, seconds=seconds)
        if came != ReceivedTotals():
            emit_table(
                ("over the network", "objects"), [(name.replace("_", " "), n) for name, n in asdict(came).items()]
            )


def _wait(database: Database, run: int | None, asked: threading.Event) -> int:
    """Wait until the run, by default the latest, ends, with a line now and then; return its number."""
    from cli.progress import RunProgress
    from wetread.store.runs.accounts import run_account
    from worker.waiting import Patience

    account, patience = None, Patience()
    with RunProgress() as progress:
        while True:
            try:
                with database.reading() as session:
                    account = run_account(session, run)
                patience.back()
            except ServiceUnavailable as error:
                if account is None:
                    raise
                patience.away(error)
            progress(account)
            run = account.id
            if account.state != RunState.RUNNING or asked.wait(WATCH_SECONDS):
                return run
