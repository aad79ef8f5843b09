"""`wetread schedule`: nightly runs, made, listed, paused, removed, and what became of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from cli.accept_options import accept_options
from cli.completing import MODEL, directories, schedules
from cli.context import opened_database
from cli.engine_option import engine_option
from cli.numbers import PROCESSES
from cli.output import emit_json, emit_table, say
from cli.run_number import LARGEST

if TYPE_CHECKING:
    from wetread.store.nightly import TickRow
    from wetread.store.schedules import ScheduleRow


@click.group()
def schedule() -> None:
    """Have directories screened by themselves, night after night; `wetread beat` runs them.

    \b
    Example:
      wetread schedule add "archive nightly" /archive --cron "0 22 * * *" --window 22:00-06:00 --timezone Europe/Paris
      wetread schedule history "archive nightly"
    """


@schedule.command()
@click.argument("name")
@click.argument("directories", nargs=-1, required=True, metavar="DIR...", shell_complete=directories)
@click.option("--cron", required=True, help="When a run begins: minute, hour, day of month, month, day of week.")
@click.option("--window", help="Hours in which it may read, as 22:00-06:00.  [default: always]")
@click.option("--timezone", default="UTC", show_default=True, help="Whose clock --cron and --window go by.")
@click.option(
    "--model", type=MODEL, default="production", show_default=True, help="A model, looked up anew for each run."
)
@click.option(
    "--shadow", type=MODEL,
    help="Another model, which reads the same films beside it; looked up anew for each run.",
)  # fmt: skip
@engine_option
@click.option(
    "--missed", type=click.Choice(["run", "skip"]), default="run", show_default=True,
    help="What becomes of a moment while no beat ran: made up once, within the window, or skipped.",
)  # fmt: skip
@accept_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def add(
    name: str,
    directories: tuple[str, ...],
    cron: str,
    window: str | None,
    timezone: str,
    model: str,
    shadow: str | None,
    engine: str,
    missed: str,
    accept_modality: tuple[str, ...],
    accept_body_part: tuple[str, ...],
    accept_view: tuple[str, ...],
    as_json: bool,
) -> None:
    """Have directories screened when a cron expression says so.

    What is not done at the end of the window goes on in the next one, under the same run.

    \b
    Example:
      wetread schedule add "archive nightly" /archive --cron "0 22 * * *" --window 22:00-06:00 --timezone Europe/Paris
      wetread schedule add weekly /archive --cron "0 20 * * SAT" --missed skip
      wetread schedule add trial /archive --cron "0 22 * * *" --shadow chest@3
    """
    from cli.shadow import chosen_models
    from producer.windows import next_tick, read_plan, split_window
    from schemas.errors import UsageError
    from schemas.films import Accepted
    from wetread.clock import utc_now
    from wetread.models.registry import Registry
    from wetread.store.roots import resolved_roots, root_ids
    from wetread.store.schedules import add_schedule, find_schedule

    hours = None if window is None else split_window(window)
    if next_tick(read_plan(cron, timezone, hours), utc_now()) is None:
        raise UsageError(
            f"expected a moment of {cron!r} inside the window, found none in four years; change one of them"
        )
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise UsageError(f"expected a name of 1 to 200 printable characters, found {name[:40]!r}")
    with opened_database() as (settings, database):
        chosen_models(Registry(database, settings.models_directory), model, shadow, settings.broker)
        with database.writing() as session:
            add_schedule(
                session, name=name, root_ids=root_ids(session, resolved_roots(directories)), cron=cron,
                timezone=timezone, window=hours, model=model, engine=engine, missed=missed, now=utc_now(),
                shadow=shadow, accepted=Accepted(accept_modality, accept_body_part, accept_view),
            )  # fmt: skip
            row = _described(session, find_schedule(session, name))
    if as_json:
        emit_json(row)
    else:
        say(f"{name}: runs next at {row['next']}; `wetread beat` has to be running then")


@schedule.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_all(as_json: bool) -> None:
    """List the schedules, and when each runs next, by the clock of its time zone.

    Shadow, engine and --missed are shown where a schedule has others than usual; --json has everything.

    \b
    Example:
      wetread schedule list
    """
    from wetread.store.schedules import list_schedules

    with opened_database() as (_, database), database.reading() as session:
        rows = [_described(session, found) for found in list_schedules(session)]
    if as_json:
        emit_json(rows)
        return
    usual = {"shadow": None, "engine": "numpy", "missed": "run"}
    said = [name for name, value in usual.items() if any(row[name] != value for row in rows)]
    columns = ("name", "cron", "window", "timezone", "model", *said, "next", "last run")
    shown = [
        row | {"next": row["state"] if row["next"] is None else row["next"][:16].replace("T", " ")} for row in rows
    ]
    emit_table(columns, [[row[column.replace(" ", "_")] for column in columns] for row in shown])


@schedule.command()
@click.argument("name", shell_complete=schedules)
def pause(name: str) -> None:
    """Let a schedule rest: nothing begins, and a run that is going is left, to go on when it is resumed.

    \b
    Example:
      wetread schedule pause "archive nightly"
    """
    from wetread.clock import utc_now
    from wetread.store.schedules import pause_schedule

    with opened_database() as (_, database), database.writing() as session:
        changed = pause_schedule(session, name, utc_now())
    say(f"{name} is paused" if changed else f"{name} was paused already")


@schedule.command()
@click.argument("name", shell_complete=schedules)
def resume(name: str) -> None:
    """Let a paused schedule run again; what it missed meanwhile is not made up.

    \b
    Example:
      wetread schedule resume "archive nightly"
    """
    from wetread.clock import utc_now
    from wetread.store.schedules import resume_schedule

    with opened_database() as (_, database), database.writing() as session:
        changed = resume_schedule(session, name, utc_now())
    say(f"{name} runs again" if changed else f"{name} was not paused")


@schedule.command()
@click.argument("name", shell_complete=schedules)
def remove(name: str) -> None:
    """Remove a schedule; its runs and its history stay.

    A run that is going is left as paused: `wetread runs resume` goes on with it, `wetread runs cancel` ends it.

    \b
    Example:
      wetread schedule remove "archive nightly"
    """
    from wetread.clock import utc_now
    from wetread.store.schedules import remove_schedule

    with opened_database() as (_, database), database.writing() as session:
        remove_schedule(session, name, utc_now())
    say(f"{name} is removed; its runs stay")


@schedule.command()
@click.argument("name", required=False, shell_complete=schedules)
@click.option(
    "--limit", type=click.IntRange(min=1, max=LARGEST - 1), default=50, show_default=True, help="The latest so many."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def history(name: str | None, limit: int, as_json: bool) -> None:
    """Show what became of each night, newest first: of one schedule, or of all, removed ones too.

    \b
    Example:
      wetread schedule history "archive nightly" --limit 7
    """
    from wetread.store.accounts import run_account
    from wetread.store.nightly import tick_history

    rows: list[dict[str, Any]] = []
    with opened_database() as (_, database), database.reading() as session:
        for row in tick_history(session, name, limit=limit):
            account = None if row.run_id is None else run_account(session, row.run_id)
            rows.append(_night(row) | {key: getattr(account, key, None) for key in ("found", "done", "pending")})
            rows[-1]["note"] = row.note or (account.note if account else None)
    if as_json:
        emit_json(rows)
        return
    columns = ("schedule", "due", "outcome", "run", "state", "found", "done", "pending", "note")
    emit_table(columns, [[row[column] for column in columns] for row in rows])


@schedule.command("run-now")
@click.argument("name", shell_complete=schedules)
@click.option("--workers", type=PROCESSES, help="Worker processes, without a broker.  [default: one a core]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def run_now(ctx: click.Context, name: str, workers: int | None, as_json: bool) -> None:
    """Run a schedule now, in this command, whatever its hours and whether or not it is paused.

    It shows and ends as `wetread screen` does. Interrupted, beat goes on with it in the schedule's next window.

    \b
    Example:
      wetread schedule run-now "archive nightly"
    """
    from cli.run_now import run_schedule_now

    ctx.exit(run_schedule_now(name, workers, as_json=as_json))


def _described(session: Any, row: ScheduleRow) -> dict[str, Any]:
    from cli.output import path_text
    from producer.windows import next_tick, read_plan
    from wetread.clock import utc_now
    from wetread.store.nightly import nightly_runs
    from wetread.store.roots import root_paths

    paths = root_paths(session, row.root_ids)
    runs = nightly_runs(session, row.name, limit=1)
    after = None if row.paused_at else next_tick(read_plan(row.cron, row.timezone, row.window), utc_now())
    return {
        "name": row.name,
        "directories": [path_text(paths[key]) for key in row.root_ids],
        "cron": row.cron,
        "window": "-".join(row.window) if row.window else None,
        "timezone": row.timezone,
        "model": row.model,
        "shadow": row.shadow,
        "engine": row.engine,
        "missed": row.missed,
        "accepts": row.accepted.to_json(),
        "state": "paused" if row.paused_at else "active",
        "next": _shown(after, row.timezone),
        "last_run": runs[0].run_id if runs else None,
    }


def _night(row: TickRow) -> dict[str, Any]:
    return {
        "schedule": row.schedule,
        "due": _shown(row.tick, row.timezone),
        "kind": str(row.kind),
        "outcome": str(row.outcome),
        "run": row.run_id,
        "state": None if row.run_state is None else str(row.run_state),
    }


def _shown(moment: datetime | None, timezone: str) -> str | None:
    """Return a moment as the clocks of a time zone show it, with its distance from UTC."""
    return None if moment is None else moment.astimezone(ZoneInfo(timezone)).isoformat(timespec="minutes")
