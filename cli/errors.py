"""`wetread errors`: what was rejected or is dead, why, and another try."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from cli.context import opened_database
from cli.output import emit_json, emit_table, path_text, say
from cli.run_number import LARGEST, RUN_NUMBER
from schemas.states import Reason

if TYPE_CHECKING:
    from wetread.store.accounts import RunAccount
    from wetread.store.results import ResultRow

UNREADABLE = "unreadable_directory"
REASONS = click.Choice([str(reason) for reason in Reason])
LISTED_REASONS = click.Choice([*(str(reason) for reason in Reason), UNREADABLE])


def run_of(argument: int | None, option: int | None) -> int | None:
    """Return the run that was named, in whichever way; raise BadParameter when two were."""
    if None not in (argument, option) and argument != option:
        raise click.BadParameter(f"expected one run, found {argument} and {option}", param_hint="--run")
    return argument if option is None else option


@click.group()
def errors() -> None:
    """List what was rejected or is dead, and try again.

    \b
    Example:
      wetread errors list
    """


@errors.command("list")
@click.argument("run", type=RUN_NUMBER, required=False)
@click.option("--run", "run_option", type=RUN_NUMBER, help="The same as RUN.")
@click.option("--reason", "reasons", type=LISTED_REASONS, multiple=True, help="Only for this; may be given again.")
@click.option(
    "--limit", type=click.IntRange(min=1, max=LARGEST - 1), default=100, show_default=True, help="At most so many."
)
@click.option(
    "--words", is_flag=True, help="Only count the words of DICOM headers that set films aside; rare ones are not named."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_errors(
    run: int | None, run_option: int | None, reasons: tuple[str, ...], limit: int, words: bool, as_json: bool
) -> None:
    """List what of a run (by default the latest) could not be read, with the reason: images, and whole directories.

    A directory stays in the list until a walk has looked into it.

    Behind them stand the words of DICOM headers by which films were set aside, as many as at least ten films of two
    studies share, each with the option of screen, submit, watch and schedule add that has them read.

    \b
    Example:
      wetread errors list 12 --reason truncated
      wetread errors list --run 12 --json
      wetread errors list --words
    """
    from cli.error_words import show_words, words_json
    from wetread.store.accounts import run_account
    from wetread.store.results import Filters, Sort, find_results
    from wetread.store.words import found_words

    with opened_database() as (_, database), database.reading() as session:
        account = run_account(session, run_of(run, run_option))
        number = account.id
        found = found_words(session, number) if words or not as_json else []
        unread = not words and (not reasons or UNREADABLE in reasons)
        listed = _unread(session, account, limit + 1) if unread else []
        rows: list[ResultRow] = []
        for reason in [] if words else [reason for reason in reasons or (None,) if reason != UNREADABLE]:
            wanted, left = Filters(run=number, reason=reason), limit + 1 - len(rows)
            if left:
                rows += find_results(session, wanted, sort=Sort.REASON, limit=left)
    listed += [
        {"path": path_text(row.path), "state": row.state, "reason": row.reason, "detail": row.detail,
         "attempts": row.attempts, "run": row.run}
        for row in rows
    ]  # fmt: skip
    more, listed = len(listed) > limit, listed[:limit]
    if as_json:
        emit_json(words_json(found) if words else listed)
    elif words:
        show_words(found)
    else:
        columns = ("state", "reason", "path", "detail")
        emit_table(columns, [[row[column] for column in columns] for row in listed])
        show_words([one for one in found if not reasons or one.reason in reasons])
    if more:
        say(f"there are more than {limit}; --limit shows more, --reason fewer")


def _unread(session: Any, account: RunAccount, limit: int) -> list[dict[str, Any]]:
    """Return the directories of the run's roots that were not looked into, as rows of the list."""
    from wetread.store.roots import ids_of_roots
    from wetread.store.unread import list_unread

    roots = [*account.root_ids, *ids_of_roots(session, map(os.fsencode, account.rules.allow))]
    return [
        {"path": path_text(row.path), "state": "unread", "reason": UNREADABLE, "detail": row.reason, "attempts": 0,
         "run": row.run}
        for row in list_unread(session, roots, limit=limit)
    ]  # fmt: skip


@errors.command()
@click.argument("run", type=RUN_NUMBER, required=False)
@click.option("--run", "run_option", type=RUN_NUMBER, help="The same as RUN.")
@click.option("--reason", "reasons", type=REASONS, multiple=True, help="Only for this reason; may be given again.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def retry(run: int | None, run_option: int | None, reasons: tuple[str, ...], as_json: bool) -> None:
    """Make rejected and dead images of a run (by default the latest) pending again.

    With workers they are read at once; without, `wetread runs resume RUN` reads them.

    \b
    Example:
      wetread errors retry 12 --reason crashed
    """
    from wetread.store.accounts import run_account
    from wetread.store.retrying import retry_failed

    with opened_database() as (settings, database), database.writing() as session:
        number = run_account(session, run_of(run, run_option)).id
        count = retry_failed(session, number, reasons, batch_size=settings.batch_size)
    if as_json:
        emit_json({"run": number, "pending": count})
    say(f"run {number}: {count} images are pending again" if count else f"run {number}: there is nothing to try again")
    if count and settings.broker is None:
        say(f"read them with: wetread runs resume {number}")
