"""`wetread screen`: screens directories from start to end."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from cli.completing import files
from cli.context import opened_database
from cli.failure_rate_option import failure_rate_option
from cli.interrupting import noted_interrupts
from cli.metrics_options import open_own_metrics, own_metrics_options
from cli.numbers import PROCESSES
from cli.output import emit_json, say
from cli.run_options import RunOptions, run_options
from schemas.errors import EXIT_INTERRUPTED

if TYPE_CHECKING:
    from screening.order import RunOrder
    from wetread.settings import Settings
    from wetread.store.core.database import Database


@click.command()
@click.argument("directories", nargs=-1, required=True, metavar="DIR...|FILM...", shell_complete=files)
@run_options()
@click.option("--workers", type=PROCESSES, help="Worker processes, without a broker.  [default: one per core]")
@click.option(
    "--force", is_flag=True, help="Read images again that this model has read already, and replace their readings."
)
@failure_rate_option()
@own_metrics_options
@click.option("--profile", is_flag=True, help="Show where the workers' time went, stage by stage.")
@click.option(
    "--keep",
    is_flag=True,
    help="Store the readings of films given as files; readings of directories are always stored.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object; for films an array with an object for each."
)
@click.pass_context
def screen(
    ctx: click.Context,
    directories: tuple[str, ...],
    chosen: RunOptions,
    workers: int | None,
    force: bool,
    max_failure_rate: float,
    metrics_port: int | None,
    metrics_host: str | None,
    profile: bool,
    keep: bool,
    as_json: bool,
) -> None:
    """Screen directories of chest X-rays, start to end.

    A film that is named is read by itself: its probabilities, the decision and why. Nothing is stored unless --keep.

    Every file found is accounted for. What this model has read already is skipped. Interrupted, the same command
    continues. Without WETREAD_BROKER_URL the films are read by processes of this command; with it, by workers.

    What is not as it should be is said at the end, and is exit 3: directories that could not be looked into, dead
    films, a failure rate or a drift past its limit.

    With --shadow each film is opened and decoded once and read by both models. The shadow has a run and accounts of its
    own, which change neither the run's nor the exit code. Compare the two with 'wetread results diff'.

    \b
    Example:
      wetread screen /archive
      wetread screen film.png
      wetread screen /archive/2024 /archive/2025 --workers 8 --json
      wetread screen /archive --force --profile
      wetread screen /archive --model chest@2 --shadow chest@3
      wetread screen /archive --exclude "old/" --exclude "*.txt"
      wetread screen /cohort --follow-links --allow /archive
    """
    from cli.one_film import OneFilmOrder, names_films, screen_films
    from cli.progress_of_both import say_warning
    from screening.order import RunOrder
    from screening.shadow import chosen_models
    from wetread.models.registry import Registry

    if names_films(ctx, directories):
        films = OneFilmOrder(directories, chosen.model, chosen.engine, keep, force, chosen.accepted)
        ctx.exit(screen_films(films, as_json=as_json))

    def ordered(settings: Settings, database: Database) -> RunOrder:
        open_own_metrics("screen", settings, metrics_port, metrics_host)
        registry = Registry(database, settings.models_directory)
        digest, beside = chosen_models(
            registry, chosen.model, chosen.shadow, chosen.engine, settings.broker, say_warning
        )
        processes = workers or len(os.sched_getaffinity(0))
        words = settings.accepted | chosen.accepted
        return RunOrder(directories, digest, chosen.engine, force, processes, None, beside, chosen.rules, words)

    ctx.exit(screen_shown(ordered, max_failure_rate=max_failure_rate, profile=profile, as_json=as_json))


def screen_shown(
    ordered: Callable[[Settings, Database], RunOrder],
    *,
    max_failure_rate: float,
    profile: bool = False,
    as_json: bool,
) -> int:
    """Screen what `ordered` asks for and show it, start to end; return the exit code."""
    from cli.accounts import run_exit_code, show_account
    from cli.alarms import alarmed_exit_code, say_alarms
    from cli.profile import profile_json, show_profile
    from cli.progress_of_both import ProgressOfBoth, say_opened
    from screening.end_signals import AskedToEnd
    from screening.run import Screening
    from wetread.store.runs.alarms import run_alarms
    from wetread.store.work.stages import stage_seconds
    from wetread.views.accounts import account_json, read_shadows

    with opened_database() as (settings, database), noted_interrupts() as asked:
        screening = Screening.open(database, settings, ordered(settings, database), asked)
        say_opened(screening.opened, screening.shadow)
        with ProgressOfBoth() as progress:
            try:
                read = screening.read_here if settings.broker is None else screening.read_by_workers
                account = read(progress)
            except (KeyboardInterrupt, AskedToEnd):
                say("\ninterrupted; nothing is lost: the same command continues")
                return EXIT_INTERRUPTED
        with database.reading() as session:
            stages = stage_seconds(session, account.id) if profile else {}
        shadows = read_shadows(database, account.id)
    for kind, count in sorted((screening.report.passed_over if screening.report else {}).items()):
        say(f"passed over: {count} {kind}")
    pace = {"images_per_second": progress.run.images_per_second, "seconds": progress.run.seconds}
    pace["max_failure_rate"] = max_failure_rate
    alarms = run_alarms(account, max_failure_rate=max_failure_rate)
    if as_json:
        emit_json(
            account_json(account, shadows, **pace)
            | ({"profile": profile_json(stages, account.settled)} if profile else {})
        )
        if account.note:
            say(f"note: {account.note}")
        say_alarms(alarms)
    else:
        show_account(account, shadows, **pace)
        if profile:
            show_profile(stages, account.settled)
    return alarmed_exit_code(run_exit_code(account, max_failure_rate), alarms)
