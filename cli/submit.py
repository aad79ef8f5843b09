"""`wetread submit`: enqueue, and return."""

from __future__ import annotations

import click

from cli.accept_options import accept_options, accepted
from cli.completing import MODEL, directories
from cli.context import opened_database
from cli.engine_option import engine_option
from cli.output import emit_json, say
from cli.walk_options import chosen_rules, walk_options


@click.command()
@click.argument("directories", nargs=-1, required=True, metavar="DIR...", shell_complete=directories)
@click.option(
    "--model", type=MODEL, default="production", show_default=True, help="A model: NAME, NAME@VERSION or a digest."
)
@click.option(
    "--shadow", type=MODEL, help="Another model, which reads the same films beside it; its readings are kept apart."
)
@engine_option
@click.option("--force", is_flag=True, help="Read again what this model has read; its readings are replaced.")
@walk_options
@accept_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def submit(
    directories: tuple[str, ...],
    model: str,
    shadow: str | None,
    engine: str,
    force: bool,
    exclude: tuple[str, ...],
    follow_links: bool,
    allow: tuple[str, ...],
    accept_modality: tuple[str, ...],
    accept_body_part: tuple[str, ...],
    accept_view: tuple[str, ...],
    as_json: bool,
) -> None:
    """Enqueue directories for workers, and return.

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
    from screening.order import Order
    from screening.shadow import chosen_models
    from screening.submit import submit_run
    from wetread.models.registry import Registry
    from wetread.store.alarms import run_alarms
    from wetread.views.accounts import account_json, account_pace, read_shadows

    with opened_database() as (settings, database):
        bell = Doorbell(database, settings)
        registry = Registry(database, settings.models_directory)
        digest, beside = chosen_models(registry, model, shadow, engine, settings.broker, say_warning)
        rules = chosen_rules(exclude, allow, follow_links=follow_links)
        words = accepted(settings, accept_modality, accept_body_part, accept_view)
        order = Order(directories, digest, engine, force, workers=0, shadow_digest=beside, rules=rules, accepted=words)
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
