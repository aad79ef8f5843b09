"""`wetread errors`: what was rejected or is dead, why, and another try."""

from __future__ import annotations

import click

from cli.context import opened_database
from cli.output import emit_json, emit_table, path_text, say
from cli.run_number import LARGEST, RUN_NUMBER
from schemas.states import ItemState, Reason

REASONS = click.Choice([str(reason) for reason in Reason])


@click.group()
def errors() -> None:
    """List what was rejected or is dead, and try again.

    \b
    Example:
      wetread errors list
    """


@errors.command("list")
@click.argument("run", type=RUN_NUMBER, required=False)
@click.option("--reason", "reasons", type=REASONS, multiple=True, help="Only for this reason; may be given again.")
@click.option(
    "--limit", type=click.IntRange(min=1, max=LARGEST - 1), default=100, show_default=True, help="At most so many."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_errors(run: int | None, reasons: tuple[str, ...], limit: int, as_json: bool) -> None:
    """List the images of a run (by default the latest) that could not be read, with the reason.

    \b
    Example:
      wetread errors list 12 --reason truncated
    """
    from itertools import islice

    from wetread.store.accounts import run_account
    from wetread.store.results import Filters, find_results

    failed = (ItemState.REJECTED, ItemState.DEAD)
    with opened_database() as (_, database), database.reading() as session:
        number = run_account(session, run).id
        found = (row for state in failed for row in find_results(session, Filters(run=number, state=state)))
        rows = list(islice((row for row in found if not reasons or row.reason in reasons), limit + 1))
    more, rows = len(rows) > limit, rows[:limit]
    if as_json:
        emit_json(
            [
                {"path": path_text(row.path), "state": row.state, "reason": row.reason, "detail": row.detail,
                 "attempts": row.attempts, "run": row.run}
                for row in rows
            ]
        )  # fmt: skip
    else:
        emit_table(
            ("state", "reason", "path", "detail"),
            [(row.state, row.reason, path_text(row.path), row.detail) for row in rows],
        )
    if more:
        say(f"there are more than {limit}; --limit shows more, --reason fewer")


@errors.command()
@click.argument("run", type=RUN_NUMBER, required=False)
@click.option("--reason", "reasons", type=REASONS, multiple=True, help="Only for this reason; may be given again.")
def retry(run: int | None, reasons: tuple[str, ...]) -> None:
    """Make rejected and dead images of a run (by default the latest) pending again.

    With workers they are read at once; without, `wetread runs resume RUN` reads them.

    \b
    Example:
      wetread errors retry 12 --reason crashed
    """
    from wetread.store.accounts import run_account
    from wetread.store.retrying import retry_failed

    with opened_database() as (settings, database), database.writing() as session:
        number = run_account(session, run).id
        count = retry_failed(session, number, reasons, batch_size=settings.batch_size)
    say(f"run {number}: {count} images are pending again" if count else f"run {number}: there is nothing to try again")
    if count and settings.broker is None:
        say(f"read them with: wetread runs resume {number}")
