"""`wetread watch`: new films are screened as they appear."""

from __future__ import annotations

import os

import click

from cli.completing import MODEL, directories
from cli.context import opened_database
from cli.engine_option import engine_option
from cli.interrupting import noted_interrupts
from cli.output import emit_json, say

LISTENING_WALK_SECONDS = 300.0
"""Seconds between walks while the kernel tells what happens; they find what it did not tell."""


@click.command()
@click.argument("directories", nargs=-1, required=True, metavar="DIR...", shell_complete=directories)
@click.option(
    "--model", type=MODEL, default="production", show_default=True, help="A model, looked up anew for each day's run."
)
@engine_option
@click.option(
    "--workers", type=click.IntRange(min=1), help="Worker processes, without a broker.  [default: one a core]"
)
@click.option(
    "--still", type=click.FloatRange(min=0.1), default=2.0, show_default=True,
    help="Seconds that a file's size and time of change have to stand still before it is taken.",
)  # fmt: skip
@click.option(
    "--age", type=click.FloatRange(min=0), default=1.0, show_default=True,
    help="Seconds that files wait at most for a full batch while others are being read.",
)  # fmt: skip
@click.option(
    "--poll", type=click.FloatRange(min=0.5), metavar="SECONDS",
    help="Walk so often instead of listening.  [default: 10 on network shares, where the kernel hears nothing]",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end: the last run.")
@click.pass_context
def watch(
    ctx: click.Context,
    directories: tuple[str, ...],
    model: str,
    engine: str,
    workers: int | None,
    still: float,
    age: float,
    poll: float | None,
    as_json: bool,
) -> None:
    """Screen films as they appear, until stopped.

    What lay there before is screened too, if this model has not read it. SIGTERM or Ctrl-C ends it in order: exit 0
    when all that was found is read, 130 when the same command goes on with the rest.

    \b
    Example:
      wetread watch /archive/incoming
      wetread watch /mnt/nas/incoming --poll 30
    """
    from cli.accounts import account_json, account_pace, run_exit_code, show_account
    from cli.film_watch import Watching, WatchOrder, is_listening_useful
    from cli.progress import RunProgress
    from wetread.models.registry import Registry
    from wetread.store.roots import resolved_roots, root_ids

    with opened_database() as (settings, database), noted_interrupts() as asked:
        registry = Registry(database, settings.models_directory)
        registry.resolve(model)
        paths = resolved_roots(directories)
        with database.writing() as session:
            roots = dict(zip(root_ids(session, paths), paths, strict=True))
        if poll is None and not is_listening_useful(paths):
            poll = 10.0
            say("a network share: walking it every 10 seconds; --poll says otherwise")
        order = WatchOrder(
            roots, lambda: registry.resolve(model).digest, engine, workers or len(os.sched_getaffinity(0)), still, age,
            poll or LISTENING_WALK_SECONDS, poll is None,
        )  # fmt: skip
        say("watching; SIGTERM or Ctrl-C ends it")
        with RunProgress() as progress:
            account = Watching(database, settings, order, asked, progress).watch()
    rate, seconds = account_pace(account)
    if as_json:
        emit_json(account_json(account, images_per_second=rate, seconds=seconds))
    else:
        show_account(account, images_per_second=rate, seconds=seconds)
    ctx.exit(run_exit_code(account, 1.0))
