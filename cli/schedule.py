"""`wetread schedule`: makes, lists, pauses and removes nightly runs, and shows what became of them."""

from __future__ import annotations

from typing import Any

import click

from cli.accept_options import accepted_options
from cli.completing import schedules
from cli.context import asked_database, opened_database
from cli.failure_rate_option import failure_rate_option
from cli.numbers import PROCESSES
from cli.output import emit_json, emit_table, say
from cli.run_number import LARGEST
from cli.schedule_change import add, edit


@click.group()
def schedule() -> None:
    """Schedule screenings of directories, night after night; `wetread beat` runs them.

    \b
    Example:
      wetread schedule add "archive nightly" /archive --cron "0 22 * * *" --window 22:00-06:00 --timezone Europe/Paris
      wetread schedule history "archive nightly"
    """


schedule.add_command(add)
schedule.add_command(edit)


@schedule.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_all(as_json: bool) -> None:
    """List the schedules, and when each runs next, by the clock of its time zone.

    Shadow, engine, --missed and what else it was told of the directories are shown where they are not as usual; --json
    has everything.

    \b
    Example:
      wetread schedule list
    """
    from wetread.store.schedules.schedules import list_schedules
    from wetread.views.rules import rules_text
    from wetread.views.schedules import schedule_json

    with asked_database() as (_, database), database.reading() as session:
        found = list_schedules(session)
        rows = [schedule_json(session, one) for one in found]
    if as_json:
        emit_json(rows)
        return
    reads = [" ".join(filter(None, (rules_text(one.rules), *accepted_options(one.accepted)))) for one in found]
    rows = [row | {"reads": how} for row, how in zip(rows, reads, strict=True)]
    usual: dict[str, Any] = {"shadow": None, "engine": "numpy", "missed": "run", "reads": ""}
    said = [name for name, value in usual.items() if any(row[name] != value for row in rows)]
    columns = ("name", "cron", "window", "timezone", "model", *said, "next", "last run")
    shown = [
        row | {"next": row["state"] if row["next"] is None else row["next"][:16].replace("T", " ")} for row in rows
    ]
    emit_table(columns, [[row[column.replace(" ", "_")] for column in columns] for row in shown])


@schedule.command()
@click.argument("name", shell_complete=schedules)
def pause(name: str) -> None:
    """Pause a schedule: no run begins, and a run in progress stops until the schedule is resumed.

    \b
    Example:
      wetread schedule pause "archive nightly"
    """
    from wetread.clock import utc_now
    from wetread.store.schedules.schedules import pause_schedule

    with opened_database() as (_, database), database.writing() as session:
        changed = pause_schedule(session, name, utc_now())
    say(f"{name} is paused" if changed else f"{name} was paused already")


@schedule.command()
@click.argument("name", shell_complete=schedules)
def resume(name: str) -> None:
    """Resume a paused schedule; runs that it missed are not made up.

    \b
    Example:
      wetread schedule resume "archive nightly"
    """
    from wetread.clock import utc_now
    from wetread.store.schedules.schedules import resume_schedule

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
    from wetread.store.schedules.schedules import remove_schedule

    with opened_database() as (_, database), database.writing() as session:
        remove_schedule(session, name, utc_now())
    say(f"{name} is removed; its runs stay")


@schedule.command()
@click.argument("name", required=False, shell_complete=schedules)
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=LARGEST - 1),
    default=50,
    show_default=True,
    help="How many to list, the latest first.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def history(name: str | None, limit: int, as_json: bool) -> None:
    """Show what became of each night, newest first: of one schedule, or of all, removed ones too.

    \b
    Example:
      wetread schedule history "archive nightly" --limit 7
    """
    from wetread.views.schedules import nights_json

    with asked_database() as (_, database), database.reading() as session:
        rows = nights_json(session, name, limit=limit)
    if as_json:
        emit_json(rows)
        return
    columns = ("schedule", "due", "outcome", "run", "state", "found", "done", "pending", "note")
    emit_table(columns, [[row[column] for column in columns] for row in rows])


@schedule.command("run-now")
@click.argument("name", shell_complete=schedules)
@click.option("--workers", type=PROCESSES, help="Worker processes, without a broker.  [default: one per core]")
@failure_rate_option()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def run_now(ctx: click.Context, name: str, workers: int | None, max_failure_rate: float, as_json: bool) -> None:
    """Run a schedule now, in this command, outside its hours too, and also when it is paused.

    It shows and ends as `wetread screen` does. Interrupted, beat goes on with it in the schedule's next window.

    \b
    Example:
      wetread schedule run-now "archive nightly"
    """
    from cli.run_now import run_schedule_now

    ctx.exit(run_schedule_now(name, workers, max_failure_rate, as_json=as_json))
