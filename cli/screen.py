"""`wetread screen`: the main job, start to end."""

from __future__ import annotations

import os

import click

from cli.completing import MODEL, directories
from cli.context import opened_database
from cli.engine_option import engine_option
from cli.interrupting import noted_interrupts
from cli.output import emit_json, say
from schemas.errors import EXIT_INTERRUPTED


@click.command()
@click.argument("directories", nargs=-1, required=True, metavar="DIR...", shell_complete=directories)
@click.option(
    "--model", type=MODEL, default="production", show_default=True, help="A model: NAME, NAME@VERSION or a digest."
)
@engine_option
@click.option(
    "--workers", type=click.IntRange(min=1), help="Worker processes, without a broker.  [default: one a core]"
)
@click.option("--force", is_flag=True, help="Read again what this model has read; its readings are replaced.")
@click.option(
    "--max-failure-rate", type=click.FloatRange(0, 1), default=1.0, show_default=True,
    help="Exit 3 when more of the found images could not be read; what is no frontal chest film does not count.",
)  # fmt: skip
@click.option("--profile", is_flag=True, help="Show where the workers' time went, stage by stage.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def screen(
    ctx: click.Context,
    directories: tuple[str, ...],
    model: str,
    engine: str,
    workers: int | None,
    force: bool,
    max_failure_rate: float,
    profile: bool,
    as_json: bool,
    run: int | None = None,
) -> None:
    """Screen directories of chest X-rays, start to end.

    Every file found is accounted for. What this model has read already is skipped. Interrupted, the same command
    continues. Without WETREAD_BROKER_URL the films are read by processes of this command; with it, by workers.

    \b
    Example:
      wetread screen /archive
      wetread screen /archive/2024 /archive/2025 --workers 8 --json
      wetread screen /archive --force --profile
    """
    from cli.accounts import account_json, run_exit_code, show_account
    from cli.profile import profile_json, show_profile
    from cli.progress import RunProgress
    from cli.screening import Order, Screening
    from wetread.models.registry import Registry
    from wetread.store.stages import stage_seconds

    with opened_database() as (settings, database), noted_interrupts() as asked:
        digest = Registry(database, settings.models_directory).resolve(model).digest
        order = Order(directories, digest, engine, force, workers or len(os.sched_getaffinity(0)), run)
        screening = Screening.open(database, settings, order, asked)
        say(f"run {screening.opened.id}: " + ("continued" if screening.opened.resumed else "begun"))
        with RunProgress() as progress:
            try:
                read = screening.read_here if settings.broker is None else screening.read_by_workers
                account = read(progress)
            except KeyboardInterrupt:
                say("\ninterrupted; nothing is lost: the same command continues")
                ctx.exit(EXIT_INTERRUPTED)
        with database.reading() as session:
            stages = stage_seconds(session, account.id) if profile else {}
    for kind, count in sorted((screening.report.passed_over if screening.report else {}).items()):
        say(f"passed over: {count} {kind}")
    pace = {"images_per_second": progress.images_per_second, "seconds": progress.seconds}
    if as_json:
        emit_json(
            account_json(account, **pace) | ({"profile": profile_json(stages, account.settled)} if profile else {})
        )
        if account.note:
            say(f"note: {account.note}")
    else:
        show_account(account, **pace)
        if profile:
            show_profile(stages, account.settled)
    ctx.exit(run_exit_code(account, max_failure_rate))
