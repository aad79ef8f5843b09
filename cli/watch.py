"""`wetread watch`: screens new films as they appear."""

from __future__ import annotations

import os

import click

from cli.completing import directories
from cli.context import opened_database
from cli.interrupting import noted_interrupts
from cli.metrics_options import open_own_metrics, own_metrics_options
from cli.numbers import PROCESSES
from cli.output import emit_json, say
from cli.run_options import RunOptions, run_options


@click.command()
@click.argument("directories", nargs=-1, required=True, metavar="DIR...", shell_complete=directories)
@run_options(each="each day's run")
@click.option("--workers", type=PROCESSES, help="Worker processes, without a broker.  [default: one per core]")
@click.option(
    "--settle-seconds", type=click.FloatRange(min=0.1), default=1.0, show_default=True,
    help="Seconds that a file's size and time of change must stay the same before the file is taken.",
)  # fmt: skip
@click.option("--still", type=click.FloatRange(min=0.1), hidden=True, help="The former name of --settle-seconds.")
@click.option(
    "--age", type=click.FloatRange(min=0), default=1.0, show_default=True,
    help="Seconds that files wait at most for a full batch while others are read.",
)  # fmt: skip
@click.option(
    "--poll", type=click.FloatRange(min=0.5), metavar="SECONDS",
    help="Seconds between walks, which replace inotify.  [default: 10 on network shares, where inotify sees nothing]",
)  # fmt: skip
@own_metrics_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end: the last run.")
@click.pass_context
def watch(
    ctx: click.Context,
    directories: tuple[str, ...],
    chosen: RunOptions,
    workers: int | None,
    settle_seconds: float,
    still: float | None,
    age: float,
    poll: float | None,
    metrics_port: int | None,
    metrics_host: str | None,
    as_json: bool,
) -> None:
    """Screen films as they appear, until stopped.

    What lay there before is screened too, if this model has not read it. SIGTERM or Ctrl-C ends it in order: exit 0
    when all that was found is read, 130 when the same command goes on with the rest; it says how many files were not
    taken yet.

    \b
    Example:
      wetread watch /archive/incoming
      wetread watch /mnt/nas/incoming --poll 30
      wetread watch /archive/incoming --shadow chest@3
    """
    from cli.accounts import run_exit_code, show_account
    from cli.alarms import say_alarms
    from cli.progress_of_both import say_warning
    from cli.watch_progress import WatchProgress
    from screening.watch import Watching
    from screening.watch_order import WatchWish
    from wetread.store.runs.alarms import run_alarms
    from wetread.views.accounts import account_json, account_pace, read_shadows

    with opened_database() as (settings, database), noted_interrupts() as asked:
        open_own_metrics("watch", settings, metrics_port, metrics_host)
        wish = WatchWish(
            directories, chosen.model, chosen.shadow, chosen.engine, workers or len(os.sched_getaffinity(0)),
            settle_seconds if still is None else still, age, poll, chosen.rules, settings.accepted | chosen.accepted,
        )  # fmt: skip
        order = wish.ordered(database, settings, say_warning)
        if poll is None and not order.listens:
            say(f"a network share: walking it every {order.walk_seconds:g} seconds; --poll says otherwise")
        progress = WatchProgress(order, settings.database)
        progress.begin()
        with progress:
            watching = Watching(database, settings, order, asked, progress)
            account = watching.watch()
        shadows = read_shadows(database, account.id)
    if left := watching.not_taken:
        say(
            f"not taken yet: {left} {'file' if left == 1 else 'files'}, still written to or changed after being read; "
            "the same command takes what is left, and so does `wetread screen`"
        )
    rate, seconds = account_pace(account)
    if as_json:
        emit_json(account_json(account, shadows, images_per_second=rate, seconds=seconds) | {"not_taken": left})
        say_alarms(run_alarms(account))
    else:
        show_account(account, shadows, images_per_second=rate, seconds=seconds)
    ctx.exit(run_exit_code(account, 1.0))
