"""`wetread results`: the group, and `list`; the other commands have their own modules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from cli.commands_on_call import CommandsOnCall
from cli.context import asked_database
from cli.known_choice import KnownChoice
from cli.mistyped import refuse_mistyped
from cli.output import NOT_DIAGNOSTIC, emit_csv, emit_json, emit_json_array, emit_table, say
from cli.result_options import chosen_filters, filter_options, of_one_model, say_if_none
from cli.result_rows import DROPPED_FIRST, STUDY_COLUMNS, TABLE_COLUMNS, csv_row, table_row
from cli.run_number import LARGEST
from wetread.store.results.columns import COLUMNS
from wetread.views.result_pages import page_word, read_page_word
from wetread.views.results import result_json

if TYPE_CHECKING:
    from wetread.store.results.columns import ResultRow

PAGE = 100
"""Rows of a table; a program gets all."""

SORTS = ("found", "path", "oldest", "newest", "most-probable", "least-probable", "reason")
"""As in wetread.store.results.order, which help must not import; a test holds the two equal."""

COMMANDS = {
    "list": ("cli.results", "list_results"),
    "show": ("cli.results_show", "show"),
    "summary": ("cli.results_summary", "summary"),
    "diff": ("cli.results_diff", "diff"),
    "export": ("cli.results_export", "export"),
    "delete": ("cli.results_delete", "delete_results"),
}


class ResultsGroup(CommandsOnCall):
    """Its commands are imported when one is called."""

    places = COMMANDS

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command; a mistyped one is refused with the nearest."""
        refuse_mistyped(ctx, args, COMMANDS)
        return super().resolve_command(ctx, args)


@click.group(cls=ResultsGroup)
def results() -> None:
    """List, show, summarise and delete readings.

    \b
    Example:
      wetread results list --label covid --min-probability 0.9
      wetread results export --run 12 --format parquet --output run-12.parquet
    """


@click.command("list")
@filter_options
@click.option(
    "--sort", "order", type=KnownChoice(SORTS),
    help="In which order.  [default: most probable first where something is asked of the reading, else by path, reason "
    "or time where one is asked for, else as found]",
)  # fmt: skip
@click.option(
    "--limit", type=click.IntRange(min=0, max=LARGEST - 1),
    help="List at most so many; 0: all.  [default: 100 in a table; all for programs]",
)  # fmt: skip
@click.option("--after", metavar="WORD", help="Continue after a page; the page prints the word to give here.")
@click.option(
    "--format", "form", type=click.Choice(["table", "jsonl", "json", "csv"]), default="table", show_default=True,
    help="The format: a table, one JSON object a line, one JSON array, or csv.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def list_results(
    order: str | None, limit: int | None, after: str | None, form: str, as_json: bool, **chosen: Any
) -> None:
    """List readings, an image a line.

    Of several models that have readings, production's are listed unless --model or --run says otherwise.

    \b
    Example:
      wetread results list --run 12 --format jsonl
      wetread results list --path /archive/2024 --state rejected
      wetread results list --max-probability 0.5 --sort least-probable
      wetread results list --study 1.2.840.113619.2.1
      wetread results list --view PA --acquired-since 2026-11-01 --since yesterday
    """
    from wetread.store.results.finding import Sort, find_results

    sort, form = None if order is None else Sort(order), "json" if as_json else form
    limit = (PAGE if form == "table" else 0) if limit is None else limit
    with asked_database() as (_, database):
        filters = of_one_model(database, chosen_filters(database, chosen), chosen["model"])
        with database.reading() as session:
            begins = None if after is None else read_page_word(session, after, filters, sort)
            rows = find_results(session, filters, limit=limit + 1 if limit else None, sort=sort, after=begins)
            page = Page(rows, limit)
            of_study = chosen["study_uid"] is not None or chosen["series_uid"] is not None
            _print_rows(page, form, of_study=of_study)
        if after is None:
            say_if_none(database, filters, page.count)
    if page.more and page.last is not None:
        say(f"more than {limit}; the next page: --after {page_word(page.last, filters, sort)}")
    say(NOT_DIAGNOSTIC)


class Page:
    """At most `limit` of the rows (0: all): it remembers the last, how many they were, and whether there are more."""

    def __init__(self, rows: Iterator[ResultRow], limit: int) -> None:
        self._rows = rows
        self._limit = limit
        self.last: ResultRow | None = None
        self.more = False
        self.count = 0

    def __iter__(self) -> Iterator[ResultRow]:
        """Yield the rows of the page."""
        for number, row in enumerate(self._rows):
            if self._limit and number == self._limit:
                self.more = True
                return
            self.last = row
            self.count += 1
            yield row


def _print_rows(page: Page, form: str, *, of_study: bool) -> None:
    """Print the rows. of_study: the table says where in its study a film is."""
    if form == "json":
        emit_json_array(map(result_json, page))
    elif form == "jsonl":
        for row in page:
            emit_json(result_json(row))
    elif form == "csv":
        emit_csv(COLUMNS, map(csv_row, page))
    else:
        columns = (*TABLE_COLUMNS, *STUDY_COLUMNS) if of_study else TABLE_COLUMNS
        emit_table(columns, (table_row(row, of_study=of_study) for row in page), drop=DROPPED_FIRST)
