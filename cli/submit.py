"""`wetread submit`: enqueue, and return."""

from __future__ import annotations

import click

from cli.accept_options import accept_options, accepted
from cli.completing import MODEL, directories
from cli.context import opened_database
from cli.engine_option import engine_option
from cli.output import emit_json, say
from cli.walk_options import chosen_rules, walk_options
from schemas.errors import ServiceUnavailable


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
    from cli.accounts import account_json, account_pace, read_shadows
    from cli.alarms import say_alarms
    from cli.shadow import chosen_models
    from screening.run import Order, Screening
    from wetread.models.registry import Registry
    from wetread.queue import make_app, ring_waiting
    from wetread.store.alarms import run_alarms

    with opened_database() as (settings, database):
        app = make_app(settings)
        registry = Registry(database, settings.models_directory)
        digest, beside = chosen_models(registry, model, shadow, engine, settings.broker)
        rules = chosen_rules(exclude, allow, follow_links=follow_links)
        words = accepted(settings, accept_modality, accept_body_part, accept_view)
        order = Order(directories, digest, engine, force, workers=0, shadow_digest=beside, rules=rules, accepted=words)
        screening = Screening.open(database, settings, order)
        screening.see_to_the_walk(once=True)  # a database that is away meanwhile is waited for
        account = screening.account()
        shadows = read_shadows(database, account.id)
        try:
            ring_waiting(database, app, settings)
        except ServiceUnavailable as error:
            raise ServiceUnavailable(
                f"{error}; run {account.id} is recorded, and any worker's sweep rings for it when the broker is back"
            ) from error
    if as_json:
        rate, seconds = account_pace(account)
        emit_json(account_json(account, shadows, images_per_second=rate, seconds=seconds))
    else:
        say(f"run {account.id}: {account.found} found, {account.pending} enqueued, {account.skipped} skipped")
        for one in shadows:
            say(f"run {one.id}, its shadow: {one.found} found, {one.pending} enqueued, {one.skipped} skipped")
        click.echo(account.id)
    say_alarms(run_alarms(account))
