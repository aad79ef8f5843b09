"""`wetread runs`: list, cancel, resume, delete."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from cli.context import asked_database, opened_database
from cli.failure_rate_option import failure_rate_option
from cli.numbers import PROCESSES
from cli.output import emit_json, emit_table, say
from cli.run_number import LARGEST, RUN_NUMBER
from wetread.views.rules import rules_text

if TYPE_CHECKING:
    from screening.order import RunOrder
    from wetread.settings import Settings
    from wetread.store.core.database import Database
    from wetread.store.runs.accounts import RunAccount


@click.group()
def runs() -> None:
    """List, cancel, resume and delete runs.

    \b
    Example:
      wetread runs list
    """


@runs.command("list")
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=LARGEST - 1),
    default=50,
    show_default=True,
    help="How many to list, the latest first.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_runs(limit: int, as_json: bool) -> None:
    """List runs, newest first.

    \b
    Example:
      wetread runs list --limit 10
    """
    from cli.alarms import say_alarms_of_runs
    from wetread.store.runs.accounts import list_accounts
    from wetread.store.runs.alarms import latest_alarms
    from wetread.views.accounts import account_json, account_pace

    with asked_database() as (_, database), database.reading() as session:
        accounts = list_accounts(session, limit=limit)
    if as_json:
        paces = [(account, *account_pace(account)) for account in accounts]
        emit_json([account_json(account, images_per_second=rate, seconds=took) for account, rate, took in paces])
        return
    emit_table(
        ("run", "state", "model", "begun (UTC)", "found", "done", "rejected", "dead", "skipped", "pending", "note"),
        [_row(account) for account in accounts],
        drop=("skipped", "model", "begun (UTC)"),
        below=("note",),
    )
    say_alarms_of_runs(latest_alarms(accounts))


@runs.command()
@click.argument("run", type=RUN_NUMBER)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, the run's accounts.")
def cancel(run: int, as_json: bool) -> None:
    """Cancel the pending images of a run and of its companion run; readings stay.

    \b
    Example:
      wetread runs cancel 12
    """
    from screening.cancel import cancel_run
    from wetread.views.accounts import account_json, account_pace

    with opened_database() as (_, database):
        accounts = cancel_run(database, run)
    if as_json:
        rate, seconds = account_pace(accounts[0])
        emit_json(account_json(accounts[0], accounts[1:], images_per_second=rate, seconds=seconds))
    for account in accounts:
        say(f"run {account.id}: {account.cancelled} cancelled, {account.done} stay done")


@runs.command()
@click.argument("run", type=RUN_NUMBER)
@click.option("--workers", type=PROCESSES, help="Worker processes, without a broker.  [default: one per core]")
@failure_rate_option()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def resume(ctx: click.Context, run: int, workers: int | None, max_failure_rate: float, as_json: bool) -> None:
    """Resume a run that was paused or interrupted or has images to retry, with its own model and engine.

    A shadow goes on with the run that it shadows, and that one with its shadow.

    \b
    Example:
      wetread runs resume 12
    """
    from cli.progress_of_both import say_warning
    from cli.screen import screen_shown
    from screening.resume import order_to_resume

    def ordered(settings: Settings, database: Database) -> RunOrder:
        return order_to_resume(database, settings, run, workers or len(os.sched_getaffinity(0)), say_warning)

    ctx.exit(screen_shown(ordered, max_failure_rate=max_failure_rate, as_json=as_json))


@runs.command()
@click.argument("run", type=RUN_NUMBER)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def delete(run: int, yes: bool, as_json: bool) -> None:
    """Delete a run that is not running, with the readings of it that no other run uses.

    \b
    Example:
      wetread runs delete 12 --yes
    """
    from wetread.store.core.limits import LONG
    from wetread.store.runs.accounts import run_account
    from wetread.store.runs.deleting import delete_run

    with opened_database() as (_, database):
        with database.reading() as session:
            account = run_account(session, run)
        if not yes:
            click.confirm(f"Delete run {run}, with {account.done} images done?", abort=True, err=True)
        with database.writing(LONG) as session:
            gone = delete_run(session, run)
    if as_json:
        emit_json({"run": run, "readings": gone})
    say(f"run {run} is deleted, and {gone} readings that no other run names")


def _row(account: RunAccount) -> tuple[object, ...]:
    return (
        account.id, account.state, _model(account), f"{account.created_at:%Y-%m-%d %H:%M}", account.found, account.done,
        account.rejected, account.dead, account.skipped, account.pending,
        "; ".join(filter(None, (rules_text(account.rules), account.note))) or None,
    )  # fmt: skip


def _model(account: RunAccount) -> str:
    return account.model if account.shadow_of is None else f"{account.model}, shadow of {account.shadow_of}"
