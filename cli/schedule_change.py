"""`wetread schedule add` and `edit`: check a schedule's settings before they are kept."""

from __future__ import annotations

from typing import Any

import click

from cli.completing import directories, schedules
from cli.context import opened_database
from cli.output import emit_json, say
from cli.pull_changes import PACS, PullChanges, fetched_order, pull_change_options
from cli.run_options import NO_SHADOW, RunChanges, RunOptions, run_change_options, run_options

ALWAYS = "always"
"""What `edit` calls no window."""

MISSED = click.Choice(["run", "skip"])


@click.command()
@click.argument("name")
@click.argument("directories", nargs=-1, required=True, metavar="DIR...", shell_complete=directories)
@click.option(
    "--cron", required=True, help="When a run begins, as in cron: minute, hour, day of month, month, day of week."
)
@click.option("--window", help="Hours in which the run may read, such as 22:00-06:00.  [default: always]")
@click.option("--timezone", help="The time zone of --cron and --window, such as Europe/Paris.  [default: UTC]")
@run_options(each="each run")
@click.option(
    "--missed", type=MISSED, default="run", show_default=True,
    help="What to do about a run that fell due while no beat ran: run it once, within the window, or skip it.",
)  # fmt: skip
@click.option(
    "--last-days",
    type=click.IntRange(1, 36_500),
    default=2,
    show_default=True,
    help="For pacs:PEER: films of the last so many days, today included.",
)
@click.option(
    "--pace", type=click.FloatRange(min=0, min_open=True), help="For pacs:PEER: at most so many films a minute."
)
@click.option(
    "--via",
    type=click.Choice(["auto", "wado", "get", "move"]),
    default="auto",
    show_default=True,
    help="For pacs:PEER: the protocol, as for `wetread pull`.",
)
@click.option(
    "--connections",
    type=click.IntRange(1, 16),
    default=2,
    show_default=True,
    help="For pacs:PEER: requests at the same time.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def add(
    last_days: int,
    pace: float | None,
    via: Any,
    connections: int,
    name: str,
    directories: tuple[str, ...],
    cron: str,
    window: str | None,
    timezone: str | None,
    chosen: RunOptions,
    missed: str,
    as_json: bool,
) -> None:
    """Add a schedule: screen directories, or fetch and screen films of a PACS, as a cron expression says.

    What is not done at the end of the window goes on in the next one, under the same run. pacs:PEER instead of a
    directory is a PACS of `wetread peers`, and the same as `wetread pull` each time.

    \b
    Example:
      wetread schedule add "archive nightly" /archive --cron "0 22 * * *" --window 22:00-06:00 --timezone Europe/Paris
      wetread schedule add weekly /archive --cron "0 20 * * SAT" --missed skip
      wetread schedule add "pacs night" pacs:PACS --cron "0 22 * * *" --window 22:00-06:00 --pace 60
      wetread schedule add trial /archive --cron "0 22 * * *" --shadow chest@3
    """
    from cli.progress_of_both import say_warning
    from producer.linked_roots import check_not_links_alone
    from schemas.errors import UsageError
    from screening.shadow import chosen_models
    from wetread.clock import utc_now
    from wetread.models.registry import Registry
    from wetread.schedule.windows import split_window
    from wetread.store.roots.adding import resolved_roots, root_ids
    from wetread.store.schedules.schedules import add_schedule, find_schedule
    from wetread.views.schedules import schedule_json

    hours, zone = None if window is None else split_window(window), timezone or "UTC"
    _check_due(cron, zone, hours)
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise UsageError(f"expected a name of 1 to 200 printable characters, found {name[:40]!r}")
    with opened_database() as (settings, database):
        registry = Registry(database, settings.models_directory)
        chosen_models(registry, chosen.model, chosen.shadow, chosen.engine, settings.broker, say_warning)
        pull = None
        if any(one.startswith(PACS) for one in directories):
            directories, pull = fetched_order(database, settings, directories, last_days, pace, via, connections)
        rules, paths = chosen.rules, resolved_roots(directories)
        check_not_links_alone(paths, rules, settings.image_seconds)
        with database.writing() as session:
            add_schedule(
                session, name=name, root_ids=root_ids(session, paths, settings.root_map), cron=cron,
                timezone=zone, window=hours, model=chosen.model, engine=chosen.engine, missed=missed,
                now=utc_now(), shadow=chosen.shadow, rules=rules, accepted=chosen.accepted, pull=pull,
            )  # fmt: skip
            row = schedule_json(session, find_schedule(session, name))
    _say_next(row, as_json=as_json)
    if timezone is None:
        say("no --timezone was given: its hours are those of UTC; `wetread schedule edit` changes it")


@click.command()
@click.argument("name", shell_complete=schedules)
@click.argument("new_directories", nargs=-1, metavar="[DIR]...", shell_complete=directories)
@click.option("--cron", help="When a run begins, as in cron: minute, hour, day of month, month, day of week.")
@click.option("--window", help=f"Hours in which the run may read, such as 22:00-06:00, or {ALWAYS!r}.")
@click.option("--timezone", help="The time zone of --cron and --window, such as Europe/Paris.")
@run_change_options
@click.option("--missed", type=MISSED, help="What to do about a run that fell due while no beat ran.")
@pull_change_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def edit(
    name: str,
    new_directories: tuple[str, ...],
    cron: str | None,
    window: str | None,
    timezone: str | None,
    changes: RunChanges,
    pull_changes: PullChanges,
    missed: str | None,
    as_json: bool,
) -> None:
    """Change a schedule; settings that are not given stay, and so do its runs and its history.

    A run that is going, or is to go on, stays what it was made: new directories, another model or other patterns are
    the next run's. New hours count from now on: no moment before is made up for.

    \b
    Example:
      wetread schedule edit "archive nightly" --window 21:00-07:00 --timezone Europe/Paris
      wetread schedule edit "archive nightly" --exclude "old/" --accept-body-part THORAX_AP
      wetread schedule edit "archive nightly" /archive /archive2
      wetread schedule edit "pacs night" --pace 30 --last-days 3
    """
    from dataclasses import replace

    from cli.progress_of_both import say_warning
    from producer.linked_roots import check_not_links_alone
    from schemas.errors import UsageError
    from screening.shadow import chosen_models
    from wetread.clock import utc_now
    from wetread.models.registry import Registry
    from wetread.schedule.windows import split_window
    from wetread.store.images.places import root_paths
    from wetread.store.roots.adding import resolved_roots, root_ids
    from wetread.store.schedules.schedules import change_schedule, find_schedule
    from wetread.views.schedules import schedule_json

    if not any((cron, window, timezone, missed, changes, pull_changes, new_directories)):
        raise UsageError("expected something to change, found nothing; see `wetread schedule edit --help`")
    with opened_database() as (settings, database):
        with database.reading() as session:
            before = find_schedule(session, name)
            paths = list(root_paths(session, before.root_ids).values())
        rules, words = changes.changed(before.rules, before.accepted)
        after = replace(
            before,
            cron=cron or before.cron,
            timezone=timezone or before.timezone,
            window=before.window if window is None else None if window == ALWAYS else split_window(window),
            model=changes.model or before.model,
            shadow=None if changes.shadow == NO_SHADOW else changes.shadow or before.shadow,
            engine=changes.engine or before.engine,
            missed=missed or before.missed,
            rules=rules,
            accepted=words,
            pull=pull_changes.changed(before.pull),
        )
        _check_due(after.cron, after.timezone, after.window)
        registry = Registry(database, settings.models_directory)
        chosen_models(registry, after.model, after.shadow, after.engine, settings.broker, say_warning)
        if new_directories and before.pull is not None:
            raise UsageError("expected the films of a PACS to stay so, found directories; make another schedule")
        if new_directories:
            paths = resolved_roots(new_directories)
            check_not_links_alone(paths, rules, settings.image_seconds)
        with database.writing() as session:
            change_schedule(
                session, replace(after, root_ids=tuple(root_ids(session, sorted(paths), settings.root_map))), utc_now()
            )
            row = schedule_json(session, find_schedule(session, name))
    _say_next(row, as_json=as_json)


def _check_due(cron: str, timezone: str, window: tuple[str, str] | None) -> None:
    from schemas.errors import UsageError
    from wetread.clock import utc_now
    from wetread.schedule.windows import next_tick, read_plan

    if next_tick(read_plan(cron, timezone, window), utc_now()) is None:
        raise UsageError(
            f"expected a moment of {cron!r} inside the window, found none in four years; change one of them"
        )


def _say_next(row: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        emit_json(row)
    elif row["next"] is None:
        say(f"{row['name']}: paused; `wetread schedule resume` lets it run again")
    else:
        say(f"{row['name']}: runs next at {row['next']} ({row['timezone']}); `wetread beat` has to be running then")
