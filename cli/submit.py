"""`wetread submit`: records a run for workers, and returns."""

from __future__ import annotations

import click

from cli.completing import directories
from cli.context import opened_database
from cli.output import emit_json, say
from cli.run_options import RunOptions, run_options


@click.command()
@click.argument("directories", nargs=-1, required=True, metavar="DIR...", shell_complete=directories)
@run_options()
@click.option(
    "--force", is_flag=True, help="Read images again that this model has read already, and replace their readings."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def submit(
    directories: tuple[str, ...],
    chosen: RunOptions,
    force: bool,
    as_json: bool,
) -> None:
    """Submit directories to the workers, and return when every file is recorded.

    Every file is written to the database; the workers' sweep rings for what the broker has no room for yet.

    \b
    Example:
      wetread submit /archive/today
      wetread submit /archive/today --shadow chest@3
      wetread status --watch
    """
    from cli.alarms import say_alarms
    from cli.progress_of_both import say_warning
    from screening.doorbell import Doorbell
    from screening.order import RunOrder
    from screening.shadow import chosen_models
    from screening.submit import submit_run
    from wetread.models.registry import Registry
    from wetread.store.runs.alarms import run_alarms
    from wetread.views.accounts import account_json, account_pace, read_shadows

    with opened_database() as (settings, database):
        bell = Doorbell(database, settings)
        registry = Registry(database, settings.models_directory)
        digest, beside = chosen_models(
            registry, chosen.model, chosen.shadow, chosen.engine, settings.broker, say_warning
        )
        order = RunOrder(
            directories, digest, chosen.engine, force, workers=0, shadow_digest=beside, rules=chosen.rules,
            accepted=settings.accepted | chosen.accepted,
        )  # fmt: skip
        account = submit_run(bell, order)
        shadows = read_shadows(database, account.id)
    if as_json:
        rate, seconds = account_pace(account)
        emit_json(account_json(account, shadows, images_per_second=rate, seconds=seconds))
    else:
        say(f"run {account.id}: {account.found} found, {account.pending} enqueued, {account.skipped} skipped")
        for one in shadows:
            say(f"run {one.id}, its shadow: {one.found} found, {one.pending} enqueued, {one.skipped} skipped")
        click.echo(account.id)
    say_alarms(run_alarms(account))
