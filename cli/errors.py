"""`wetread errors`: what was rejected or is dead, why, and another try."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.context import opened_database
from cli.output import emit_json, emit_table, path_text, say
from cli.run_number import LARGEST, RUN_NUMBER
from schemas.states import Reason

if TYPE_CHECKING:
    from wetread.store.results import ResultRow

REASONS = click.Choice([str(reason) for reason in Reason])


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
@click.option("--reason", "reasons", type=REASONS, multiple=True, help="Only for this reason; may be given again.")
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
    """List the images of a run (by default the latest) that could not be read, with the reason.

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
        number = run_account(session, run_of(run, run_option)).id
        found = found_words(session, number) if words or not as_json else []
        rows: list[ResultRow] = []
        for reason in () if words else reasons or (None,):
            wanted, left = Filters(run=number, reason=reason), limit + 1 - len(rows)
            if left:
                rows += find_results(session, wanted, sort=Sort.REASON, limit=left)
    more, rows = len(rows) > limit, rows[:limit]
    if words and as_json:
        emit_json(words_json(found))
    elif words:
        show_words(found)
    elif as_json:
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
        show_words([one for one in found if not reasons or one.reason in reasons])
    if more:
        say(f"there are more than {limit}; --limit shows more, --reason fewer")


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
