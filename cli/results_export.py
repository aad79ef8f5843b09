"""`wetread results export`: writes all results that match the filters to a file or to another program."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import IO, TYPE_CHECKING, Any

import click

from cli.context import asked_database
from cli.output import NOT_DIAGNOSTIC, STANDARD_OUTPUT, emit_csv, say
from cli.output_file import output_file
from cli.result_options import chosen_filters, filter_options, of_one_model, say_if_none
from cli.result_rows import csv_lines, each_once, exported_columns, json_lines
from wetread.store.results.columns import COLUMNS, EXPORTED, ColumnKind

if TYPE_CHECKING:
    from wetread.store.results.blocks import Block

BLOCKS_OF_A_GROUP = 25
"""Blocks of rows that Parquet keeps together, and that are in memory at once."""

EXCEL = b"\xef\xbb\xbf"
"""The mark by which Excel knows a file of UTF-8; without it, it takes the text for one of its own code page."""


@click.command()
@filter_options
@click.option(
    "--format", "form", type=click.Choice(["csv", "jsonl", "json", "parquet"]), default="csv", show_default=True,
    help="The format: csv, one JSON object a line, one JSON array, or Parquet.",
)  # fmt: skip
@click.option(
    "--output",
    type=click.Path(dir_okay=False),
    help="The file to write, whole or not at all; - is stdout.  [default: stdout]",
)
@click.option("--excel", is_flag=True, help="Begin csv with the byte order mark by which Excel recognises UTF-8.")
def export(form: str, output: str | None, excel: bool, **chosen: Any) -> None:
    """Write readings as a file for other programs, an image a line, in constant memory.

    The columns and their order are the same in every format, and stay: docs/results.md lists them. Rows come in the
    order found. Of several models that have readings, production's are written unless --model or --run says otherwise;
    with --model any all, model by model.

    \b
    Example:
      wetread results export --run 12 --format parquet --output run-12.parquet
      wetread results export --label covid --output covid.csv
      wetread results export --excel --output for-excel.csv
      wetread results export --model cxr@3 --since 2026-11-01 --format jsonl
    """
    from schemas.errors import UsageError
    from wetread.store.results.blocks import find_result_blocks

    output = None if output == STANDARD_OUTPUT else output
    if excel and form != "csv":
        raise UsageError(f"--excel: expected --format csv, found {form}; the mark is for csv alone")
    if form == "parquet":
        if output is None:
            raise UsageError("--format parquet: expected --output FILE, found none; Parquet is written to a file")
        _parquet()
    with asked_database() as (_, database):
        filters = of_one_model(database, chosen_filters(database, chosen), chosen["model"])
        with database.reading() as session:
            counts: list[int] = []
            blocks = _counted(find_result_blocks(session, filters), counts)
            if output is None:
                sys.stdout.flush()
                if form == "csv" and sys.stdout.isatty():
                    emit_csv(COLUMNS, chain.from_iterable(zip(*exported_columns(each), strict=True) for each in blocks))
                else:
                    sys.stdout.buffer.write(EXCEL if excel else b"")
                    WRITERS[form](blocks, sys.stdout.buffer)
                    sys.stdout.buffer.flush()
            else:
                with output_file(output) as file:
                    file.write(EXCEL if excel else b"")
                    WRITERS[form](blocks, file)
        say_if_none(database, filters, sum(counts))
    say(f"{sum(counts)} rows" + (f" in {output}" if output else ""))
    say(NOT_DIAGNOSTIC)


def _counted(blocks: Iterable[Block], count: list[int]) -> Iterator[Block]:
    for block in blocks:
        count.append(len(block["path"]))
        yield block


def _write_csv(blocks: Iterable[Block], file: IO[bytes]) -> None:
    file.write((",".join(COLUMNS) + "\r\n").encode())
    _write_lines(map(csv_lines, blocks), "\r\n", file)


def _write_jsonl(blocks: Iterable[Block], file: IO[bytes]) -> None:
    _write_lines(map(json_lines, blocks), "\n", file)


def _write_lines(blocks: Iterable[Iterable[str]], end: str, file: IO[bytes]) -> None:
    for lines in blocks:
        file.write((end.join(lines) + end).encode())


def _write_json(blocks: Iterable[Block], file: IO[bytes]) -> None:
    before = "[\n"
    for block in blocks:
        file.write((before + ",\n".join(json_lines(block))).encode())
        before = ",\n"
    file.write(b"[]\n" if before == "[\n" else b"\n]\n")


def _write_parquet(blocks: Iterable[Block], file: IO[bytes]) -> None:
    arrow, parquet = _parquet()
    schema = _arrow_schema(arrow)
    tables = (_arrow_table(arrow, schema, block) for block in blocks)
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while some := list(islice(tables, BLOCKS_OF_A_GROUP)):
            writer.write_table(arrow.concat_tables(some))


def _arrow_schema(arrow: Any) -> Any:
    kinds = {
        ColumnKind.NUMBER: arrow.float64(),
        ColumnKind.INTEGER: arrow.int64(),
        ColumnKind.NUMBERS: arrow.list_(arrow.float64()),
        ColumnKind.MOMENT: arrow.timestamp("us", "UTC"),
        ColumnKind.DAY: arrow.date32(),
    }
    return arrow.schema([(column.name, kinds.get(column.kind, arrow.string())) for column in EXPORTED])


def _arrow_table(arrow: Any, schema: Any, block: Block) -> Any:
    """Return a block as Arrow has it: moments and days are read from their text by Arrow itself."""
    columns = exported_columns(block)
    for place, (name, _, kind, _) in enumerate(EXPORTED):
        if kind is ColumnKind.NUMBERS:
            columns[place] = each_once(columns[place], lambda text: text and json.loads(text))
        elif kind in (ColumnKind.MOMENT, ColumnKind.DAY):
            columns[place] = arrow.array(columns[place], arrow.string()).cast(schema.field(name).type)
    return arrow.table(columns, schema=schema)


def _parquet() -> tuple[Any, Any]:
    from schemas.errors import UsageError
    from wetread.installing import install_command

    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        cure = install_command("parquet")
        raise UsageError(f"--format parquet: expected pyarrow, found none; run `{cure}`") from error
    return pyarrow, pyarrow.parquet


WRITERS: dict[str, Callable[[Iterable[Block], IO[bytes]], None]] = {
    "csv": _write_csv, "jsonl": _write_jsonl, "json": _write_json, "parquet": _write_parquet,
}  # fmt: skip
