"""`wetread results export`: everything that the filters let through, to a file or to another program."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

import click

from cli.context import opened_database
from cli.output import NOT_DIAGNOSTIC, emit_csv, json_text, say
from cli.result_options import chosen_filters, filter_options
from cli.result_rows import COLUMNS, csv_row, result_json, result_values
from cli.whole_file import whole_file

if TYPE_CHECKING:
    from wetread.store.results import ResultRow

LINES_AT_ONCE = 1000
ROWS_OF_A_GROUP = 50_000
"""Rows that Parquet keeps together, and that are in memory at once."""


@click.command()
@filter_options
@click.option(
    "--format", "form", type=click.Choice(["csv", "jsonl", "json", "parquet"]), default="csv", show_default=True,
    help="csv, a JSON object a line, one JSON array, or Parquet.",
)  # fmt: skip
@click.option("--output", type=click.Path(dir_okay=False), help="The file, written whole or not.  [default: stdout]")
def export(form: str, output: str | None, **chosen: Any) -> None:
    """Write readings as a file for other programs, an image a line, in constant memory.

    The columns and their order are the same in every format, and stay: docs/results.md lists them. Rows come in the
    order found, model by model.

    \b
    Example:
      wetread results export --run 12 --format parquet --output run-12.parquet
      wetread results export --label covid --output covid.csv
      wetread results export --model cxr@3 --since 2026-11-01 --format jsonl
    """
    from schemas.errors import UsageError
    from wetread.store.results import Sort, find_results

    if form == "parquet":
        if output is None:
            raise UsageError("--format parquet: expected --output FILE, found none; Parquet is written to a file")
        _parquet()
    with opened_database() as (_, database):
        filters = chosen_filters(database, chosen)
        with database.reading() as session:
            rows = _Counted(find_results(session, filters, sort=Sort.FOUND))
            if output is None:
                sys.stdout.flush()
                WRITERS[form](rows, sys.stdout.buffer)
                sys.stdout.buffer.flush()
            else:
                with whole_file(output) as file:
                    WRITERS[form](rows, file)
    say(f"{rows.count} rows" + (f" in {output}" if output else ""))
    say(NOT_DIAGNOSTIC)


class _Counted:
    """Rows, and how many there were."""

    def __init__(self, rows: Iterable[ResultRow]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[ResultRow]:
        for row in self._rows:
            self.count += 1
            yield row


def _write_csv(rows: Iterable[ResultRow], file: IO[bytes]) -> None:
    text = io.TextIOWrapper(file, "utf-8", newline="", write_through=False)
    emit_csv(COLUMNS, map(csv_row, rows), text)
    text.flush()
    text.detach()


def _write_jsonl(rows: Iterable[ResultRow], file: IO[bytes]) -> None:
    lines = (json_text(result_json(row)) + "\n" for row in rows)
    while some := "".join(islice(lines, LINES_AT_ONCE)):
        file.write(some.encode("utf-8"))


def _write_json(rows: Iterable[ResultRow], file: IO[bytes]) -> None:
    before = "[\n"
    for row in rows:
        file.write((before + json_text(result_json(row))).encode("utf-8"))
        before = ",\n"
    file.write(b"[]\n" if before == "[\n" else b"\n]\n")


def _write_parquet(rows: Iterable[ResultRow], file: IO[bytes]) -> None:
    arrow, parquet = _parquet()
    texts, numbers = arrow.string(), arrow.float64()
    special = {
        "probability": numbers, "gate_score": numbers, "run": arrow.int64(), "pixel_spacing": arrow.list_(numbers),
        "read_at": arrow.timestamp("us", "UTC"), "settled_at": arrow.timestamp("us", "UTC"),
        "acquired_on": arrow.date32(),
    }  # fmt: skip
    schema = arrow.schema([(column, special.get(column, texts)) for column in COLUMNS])
    place = {column: COLUMNS.index(column) for column in ("probabilities", "read_at", "settled_at", "acquired_on")}
    remaining = iter(rows)
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while some := list(islice(remaining, ROWS_OF_A_GROUP)):
            columns = [list(column) for column in zip(*map(result_values, some), strict=True)]
            columns[place["probabilities"]] = [
                None if shares is None else json_text(shares) for shares in columns[place["probabilities"]]
            ]
            for name in ("read_at", "settled_at", "acquired_on"):
                columns[place[name]] = [getattr(row, name) for row in some]
            writer.write_table(arrow.table(columns, schema=schema))


def _parquet() -> tuple[Any, Any]:
    from schemas.errors import UsageError

    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise UsageError("--format parquet: expected pyarrow, found none; install the extra `parquet`") from error
    return pyarrow, pyarrow.parquet


WRITERS: dict[str, Callable[[Iterable[ResultRow], IO[bytes]], None]] = {
    "csv": _write_csv, "jsonl": _write_jsonl, "json": _write_json, "parquet": _write_parquet,
}  # fmt: skip
