"""`wetread errors`: lists what was rejected or is dead, with the reason, and retries it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import click

from cli.completing import MODEL
from cli.context import asked_database, opened_database
from cli.known_choice import KnownChoice
from cli.output import emit_json, emit_json_array, emit_table, say
from cli.result_options import REASONS, model_digest
from cli.run_number import LARGEST, RUN_NUMBER
from wetread.path_text import path_text

if TYPE_CHECKING:
    from wetread.store.results.columns import ResultRow
    from wetread.store.runs.accounts import RunAccount

UNREADABLE = "unreadable_directory"
LISTED_REASONS = KnownChoice([*REASONS.choices, UNREADABLE])

PAGE = 100
"""Rows of a table; a program gets all."""


def run_of(argument: int | None, option: int | None) -> int | None:
    """Return the run that was named, in whichever way; raise BadParameter when two were."""
    if None not in (argument, option) and argument != option:
        raise click.BadParameter(f"expected one run, found {argument} and {option}", param_hint="--run")
    return argument if option is None else option


@click.group()
def errors() -> None:
    """List rejected and dead images, and retry them.

    \b
    Example:
      wetread errors list
    """


@errors.command("list")
@click.argument("run", type=RUN_NUMBER, required=False)
@click.option("--run", "run_option", type=RUN_NUMBER, help="The same as RUN.")
@click.option("--model", type=MODEL, help="Only of this model: NAME, NAME@VERSION or a digest.")
@click.option(
    "--reason",
    "reasons",
    type=LISTED_REASONS,
    multiple=True,
    help="Only images that failed for this reason; may be given again.",
)
@click.option(
    "--limit", type=click.IntRange(min=0, max=LARGEST - 1),
    help="List at most so many; 0: all.  [default: 100 in a table; all for programs]",
)  # fmt: skip
@click.option(
    "--words", is_flag=True, help="Only count the words of DICOM headers that set films aside; rare ones are not named."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_errors(
    run: int | None,
    run_option: int | None,
    model: str | None,
    reasons: tuple[str, ...],
    limit: int | None,
    words: bool,
    as_json: bool,
) -> None:
    """List images and directories that currently cannot be read, or that a run could not read.

    Whichever run said it, by each model; what a later run has read is not here. A directory stays in the list until a
    walk has looked into it.

    Behind them stand the words of DICOM headers by which films were set aside, as many as at least ten films of two
    studies share, each with the option of screen, submit, watch and schedule add that has them read.

    \b
    Example:
      wetread errors list
      wetread errors list 12 --reason truncated
      wetread errors list --run 12 --json
      wetread errors list --words
    """
    from cli.error_words import show_words, words_json
    from wetread.store.images.words import found_words
    from wetread.store.runs.accounts import run_account

    number = run_of(run, run_option)
    most = (0 if as_json else PAGE) if limit is None else limit
    with asked_database() as (_, database):
        digest = None if model is None else model_digest(database, model)
        with database.reading() as session:
            account = None if number is None else run_account(session, number)
            if words:
                said = found_words(session, number, digest)
                if as_json:
                    emit_json(words_json(said))
                else:
                    show_words(said)
                return
            found = _unreadable(session, account, digest, reasons)
            rows = islice(found, most) if most else found
            if as_json:
                emit_json_array(rows)
            else:
                _show_errors(list(rows))
                show_words(
                    [one for one in found_words(session, number, digest) if not reasons or one.reason in reasons]
                )
            more = next(found, None) is not None
    if more:
        say(f"more than {most}: --limit 0 lists all, --reason fewer")


def _unreadable(
    session: Any, account: RunAccount | None, digest: str | None, reasons: tuple[str, ...]
) -> Iterator[dict[str, Any]]:
    """Yield what a run could not read, or what currently cannot be read: directories, then images."""
    if not reasons or UNREADABLE in reasons:
        yield from _unread(session, account)
    of_images = tuple(reason for reason in reasons if reason != UNREADABLE)
    if of_images or not reasons:
        yield from map(_error_json, _failed(session, None if account is None else account.id, digest, of_images))


def _failed(session: Any, run: int | None, digest: str | None, reasons: tuple[str, ...]) -> Iterator[ResultRow]:
    """Return the images that a run could not read, or that currently cannot be read."""
    from wetread.store.results.current_failures import current_failures
    from wetread.store.results.finding import Filters, Sort, find_results

    if run is None:
        return current_failures(session, reasons=reasons, model_digest=digest)
    wanted = [Filters(run=run, model_digest=digest, reason=reason) for reason in reasons or (None,)]
    return chain.from_iterable(find_results(session, each, sort=Sort.REASON) for each in wanted)


def _error_json(row: ResultRow) -> dict[str, Any]:
    return {
        "path": path_text(row.path), "state": row.state, "reason": row.reason, "detail": row.detail,
        "attempts": row.attempts, "run": row.run, "model": row.model,
    }  # fmt: skip


def _unread(session: Any, account: RunAccount | None) -> Iterator[dict[str, Any]]:
    """Yield the directories that were not looked into, under the roots of a run or under all."""
    from wetread.store.images.unread_directories import KEPT, list_unread
    from wetread.store.roots.adding import ids_of_roots

    roots = None
    if account is not None:
        roots = [*account.root_ids, *ids_of_roots(session, map(os.fsencode, account.rules.allow))]
    limit = KEPT if roots is None else KEPT * max(1, len(roots))
    for row in list_unread(session, roots, limit=limit):
        yield {
            "path": path_text(row.path), "state": "unread", "reason": UNREADABLE, "detail": row.reason, "attempts": 0,
            "run": row.run, "model": None if account is None else account.model,
        }  # fmt: skip


def _show_errors(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print a table; it names models where there are several."""
    several = len({row["model"] for row in rows if row["model"] is not None}) > 1
    columns = ["state", "reason", "path", "detail", "run", *(["model"] if several else [])]
    emit_table(
        columns,
        [[row[column] for column in columns] for row in rows],
        drop=("run", "state", "model"),
        below=("detail",),
    )


@errors.command()
@click.argument("run", type=RUN_NUMBER, required=False)
@click.option("--run", "run_option", type=RUN_NUMBER, help="The same as RUN.")
@click.option(
    "--reason",
    "reasons",
    type=REASONS,
    multiple=True,
    help="Only images that failed for this reason; may be given again.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def retry(run: int | None, run_option: int | None, reasons: tuple[str, ...], as_json: bool) -> None:
    """Make rejected and dead images of a run (by default the latest) pending again.

    With workers they are read at once; without, `wetread runs resume RUN` reads them.

    \b
    Example:
      wetread errors retry 12 --reason crashed
    """
    from wetread.store.runs.accounts import run_account
    from wetread.store.runs.retrying import retry_failed

    with opened_database() as (settings, database), database.writing() as session:
        number = run_account(session, run_of(run, run_option)).id
        count = retry_failed(session, number, reasons, batch_size=settings.batch_size)
    if as_json:
        emit_json({"run": number, "pending": count})
    say(f"run {number}: {count} images are pending again" if count else f"run {number}: there is nothing to try again")
    if count and settings.broker is None:
        say(f"read them with: wetread runs resume {number}")
