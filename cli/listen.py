"""`wetread listen`: receives films over the network, by DICOM, and reads them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from cli.context import opened_database
from cli.interrupting import noted_interrupts
from cli.listen_options import ListenOptions, listen_options
from cli.metrics_options import metrics_options, with_metrics
from cli.numbers import PROCESSES
from cli.output import emit_json, say
from cli.run_options import RunOptions, run_options
from schemas.errors import EXIT_DONE, EXIT_INTERRUPTED

if TYPE_CHECKING:
    from wetread.settings import Settings
    from wetread.store.core.database import Database


@click.command()
@listen_options
@run_options(each="each day's run", walks=False)
@click.option("--workers", type=PROCESSES, help="Worker processes, without a broker.  [default: one per core]")
@metrics_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end: the last run.")
@click.pass_context
def listen(
    ctx: click.Context,
    chosen: RunOptions,
    workers: int | None,
    metrics_port: int | None,
    metrics_host: str | None,
    as_json: bool,
    options: ListenOptions,
) -> None:
    """Receive films from a PACS or a modality by DICOM (C-STORE), and screen them, until stopped.

    A film is answered 0x0000 when it is safe on the disk and in the database, and not before. Who may send is said by
    `wetread peers add`. While the disk is below its watermark, or the database away, films are refused in a way that
    has senders try again. SIGTERM or Ctrl-C ends it in order: exit 0 when all that was received is read, 130 when the
    same command goes on with the rest.

    \b
    Example:
      wetread peers add pacs --title ORTHANC --address 127.0.0.1
      wetread listen
      wetread listen --host 0.0.0.0 --tls-certificate us.pem --tls-key us.key --tls-authority hospital.pem
    """
    from cli.accounts import show_account
    from cli.alarms import say_alarms
    from cli.progress_of_both import say_warning
    from cli.watch_progress import ListenProgress
    from gateway.receiving.received_run import Listening
    from schemas.walk_rules import USUAL_WALK
    from screening.watch_order import WatchWish
    from wetread.liveness import SignFile
    from wetread.store.runs.alarms import run_alarms
    from wetread.views.accounts import account_json, account_pace, read_shadows

    with opened_database() as (settings, database), noted_interrupts() as asked:
        settings = with_metrics(settings, metrics_port, metrics_host)
        _open_metrics(settings)
        chosen.check_models(database, settings)
        keeper = options.keeper(database, settings)
        wish = WatchWish(
            [os.fsdecode(keeper.films)], chosen.model, chosen.shadow, chosen.engine,
            workers or len(os.sched_getaffinity(0)), settle_seconds=0.0, age=1.0, poll=None, rules=USUAL_WALK,
            accepted=settings.accepted | chosen.accepted,
        )  # fmt: skip
        order = wish.ordered(database, settings, say_warning)
        progress, signs = ListenProgress(order, settings.database), SignFile("listen", settings.database)
        _say_who_may_send(database, options)
        progress.say_port(options.host, keeper.port, options.titles, secured=options.tls is not None)
        try:
            with progress:
                account = Listening(database, settings, order, keeper, asked, progress, signs.touch).listen()
        finally:
            signs.remove()
        shadows = read_shadows(database, account.id)
    rate, seconds = account_pace(account)
    if as_json:
        emit_json(account_json(account, shadows, images_per_second=rate, seconds=seconds))
        say_alarms(run_alarms(account))
    else:
        show_account(account, shadows, images_per_second=rate, seconds=seconds)
    ctx.exit(EXIT_INTERRUPTED if account.pending else EXIT_DONE)


def _open_metrics(settings: Settings) -> None:
    if settings.metrics_port is not None:
        from worker.metrics_port import open_metrics

        open_metrics("listen", settings.metrics_host, settings.metrics_port)


def _say_who_may_send(database: Database, options: ListenOptions) -> None:
    from wetread.store.received.peers import list_peers

    with database.reading() as session:
        peers = list_peers(session)
    if not peers:
        say(
            "nobody may send yet: `wetread peers add NAME --title THEIR_TITLE --address THEIR_ADDRESS`, which counts "
            "within a second"
        )
    elif options.everything:
        say("objects that are no films are taken too, noted as not wanted, and not kept")
