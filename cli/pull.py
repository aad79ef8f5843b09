"""`wetread pull`: fetches films from a PACS, and has them read."""

from __future__ import annotations

import os
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from cli.completing import peers
from cli.context import opened_database
from cli.interrupting import noted_interrupts
from cli.numbers import PROCESSES
from cli.output import emit_json, emit_table, say, warn
from cli.pull_options import DAY, HOW, SPOOL, day_of
from cli.run_options import RunOptions, run_options
from schemas.errors import EXIT_DONE, EXIT_FAILURE_RATE, EXIT_INTERRUPTED

if TYPE_CHECKING:
    from gateway.pulling.pulling import Pulling
    from wetread.settings import Settings
    from wetread.store.core.database import Database
    from wetread.store.received.pulls import PullRow


def _how(command: Any) -> Any:
    for option in reversed(HOW):
        command = option(command)
    return command


@click.command()
@click.argument("peer", shell_complete=peers)
@click.option("--since", type=DAY, metavar="DAY", help="The first study date.")
@click.option("--until", type=DAY, metavar="DAY", help="The last study date.  [default: today]")
@click.option(
    "--last-days", type=click.IntRange(1, 36_500), help="Instead of dates: the last so many days, today included."
)
@click.option("--study", help="Instead of dates: one study, by its UID.")
@click.option("--accession", help="Instead of dates: one study, by its accession number.")
@_how
@SPOOL
@click.option(
    "--silent-seconds", type=click.FloatRange(min=1), default=60.0, show_default=True, help="The peer may say nothing."
)
@click.option(
    "--least-free-gb", type=click.FloatRange(min=0), default=5.0, show_default=True,
    help="Fetch nothing while less than this is free on the spool's disk.",
)  # fmt: skip
@click.option(
    "--least-free-percent",
    type=click.FloatRange(0, 100),
    default=5.0,
    show_default=True,
    help="Fetch nothing while a smaller share of the spool's disk is free.",
)
@run_options(each="each day's run", walks=False)
@click.option("--workers", type=PROCESSES, help="Worker processes, without a broker.  [default: one per core]")
@click.option(
    "--no-read", is_flag=True, help="Fetch without reading; `wetread listen` or another pull reads the films."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end: the pull.")
@click.pass_context
def pull(
    ctx: click.Context,
    peer: str,
    since: datetime | None,
    until: datetime | None,
    last_days: int | None,
    study: str | None,
    accession: str | None,
    modality: str,
    via: Any,
    pace: float | None,
    connections: int,
    title: str,
    spool: str | None,
    silent_seconds: float,
    least_free_gb: float,
    least_free_percent: float,
    chosen: RunOptions,
    workers: int | None,
    no_read: bool,
    as_json: bool,
) -> None:
    """Fetch films from a PACS, and screen them as they come.

    What is wanted is asked for and written down first; then asked = pending + received + failed + gone + not_wanted.
    Interrupted or killed, the same command goes on. Where `wetread listen` has the spool, that reads. Exit 3
    where something could not be fetched or nothing of it could be read, or the peer has more than it listed; 4 where
    the peer is away, or reading is paused.

    \b
    Example:
      wetread pull pacs --since 2026-11-01 --until 2026-11-30
      wetread pull pacs --last-days 2 --pace 60
      wetread pull pacs --study 1.2.826.0.1.3680043.8.498.1
    """
    from cli.pacs_extra import check_pacs

    check_pacs()
    from gateway.calling.patience import AskedToStop
    from gateway.pulling.pull_order import PullOrder, Wanted
    from gateway.pulling.pull_reading import END_SECONDS
    from gateway.pulling.pulling import Pulling
    from gateway.receiving.readiness import Watermark
    from gateway.receiving.spool import is_listening
    from screening.end_signals import ORDER_SECONDS
    from wetread.views.pulls import pull_json

    wanted = Wanted(day_of(since), day_of(until), last_days, study, accession, tuple(modality.split(",")))
    order = PullOrder(
        peer, wanted, via, pace, connections, title, silent_seconds,
        Watermark(int(least_free_gb * 1000**3), least_free_percent / 100),
    )  # fmt: skip
    order_seconds = ORDER_SECONDS + END_SECONDS
    with opened_database() as (settings, database), noted_interrupts(order_seconds=order_seconds) as asked:
        directory = os.fsencode(spool or settings.home / "spool")
        stop = threading.Event()
        if not no_read:
            chosen.check_models(database, settings)
        pulling = Pulling.open(database, settings, order, directory, stop)
        say(f"pull {pulling.pull_id} {'goes on' if pulling.goes_on else 'begins'}: {peer} by {pulling.via}")
        read = EXIT_DONE
        try:
            if no_read or is_listening(directory):
                row = _fetch_alone(pulling, asked)
            else:
                row, read = _fetch_and_read(database, settings, pulling, chosen, workers, asked, as_json=as_json)
        except AskedToStop:
            row = pulling.account
    _show(row, pull_json(row), as_json=as_json)
    if asked.is_set() and row.ended_at is None:
        say("interrupted; nothing is lost: the same command goes on")
        ctx.exit(EXIT_INTERRUPTED)
    ctx.exit(read if row.state == "finished" else EXIT_FAILURE_RATE)


def _fetch_alone(pulling: Pulling, asked: threading.Event) -> PullRow:
    from gateway.pulling.pull_reading import pulled

    return pulled(pulling, asked)


def _fetch_and_read(
    database: Database, settings: Settings, pulling: Pulling, chosen: RunOptions, workers: int | None,
    asked: threading.Event, *, as_json: bool,
) -> tuple[PullRow, int]:  # fmt: skip
    from cli.accounts import run_exit_code, show_account
    from cli.progress_of_both import say_warning
    from cli.watch_progress import WatchProgress
    from gateway.pulling.pull_reading import PullThread
    from gateway.receiving.received_run import Listening
    from schemas.walk_rules import USUAL_WALK
    from screening.watch_order import WatchWish
    from wetread.views.accounts import account_pace, read_shadows

    wish = WatchWish(
        [os.fsdecode(pulling.spool.films)], chosen.model, chosen.shadow, chosen.engine,
        workers or len(os.sched_getaffinity(0)), settle_seconds=0.0, age=1.0, poll=None, rules=USUAL_WALK,
        accepted=settings.accepted | chosen.accepted,
    )  # fmt: skip
    order = wish.ordered(database, settings, say_warning)
    thread = PullThread(pulling, pulling.patience.stop)
    with WatchProgress(order, settings.database) as progress:
        listening = Listening(database, settings, order, thread, asked, progress, lambda: None)
        listening.done = lambda: thread.is_over
        account = listening.listen()
    rate, seconds = account_pace(account)
    if account.found and not as_json:
        show_account(account, read_shadows(database, account.id), images_per_second=rate, seconds=seconds)
    return thread.ended(), run_exit_code(account, 1.0) if account.found else EXIT_DONE


def _show(row: PullRow, shown: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        emit_json(shown)
    else:
        names = ("asked", "pending", "received", "failed", "gone", "not_wanted")
        emit_table((f"pull {row.id}", "instances"), [(name.replace("_", " "), shown[name]) for name in names])
    if row.note:
        warn(f"pull {row.id} is {row.state}: {row.note}; the same command tries again")
