"""What people and programs see: data on stdout, everything else on stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

NOT_DIAGNOSTIC = "Research software: not for diagnostic use."

FORMULA_BEGINNINGS = frozenset("=+-@\t\r")
"""A spreadsheet takes a cell that begins so for a formula, which can call programs."""

_MUST_BE_QUOTED = re.compile('[",\r\n]').search
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
"""Made once: json.dumps makes one for each call that has options."""


def emit_json(data: Any) -> None:
    """Print one JSON document on stdout; what a terminal would obey is escaped, as JSON has it."""
    click.echo(json_text(data))


def json_text(data: Any) -> str:
    """Return one JSON document on one line, with what a terminal would obey escaped, as JSON has it."""
    text = _JSON(data)
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in text)
    return text


def emit_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows as csv, by `csv_cell`, on stdout. On a terminal, cells are escaped as in a table."""
    shown = sys.stdout.isatty()
    for row in chain([columns], rows):
        cells = [printable(cell) if isinstance(cell, str) else cell for cell in row] if shown else row
        sys.stdout.write(",".join(map(csv_cell, cells)) + "\r\n")


def csv_cell(value: object) -> str:
    """Return a cell of csv, as RFC 4180 has it.

    A text that a spreadsheet would take for a formula gets a ' before it; numbers stay numbers.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value)
    text = f"'{value}" if value[:1] in FORMULA_BEGINNINGS else value
    return '"' + text.replace('"', '""') + '"' if _MUST_BE_QUOTED(text) else text


def emit_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None, one_of_many: bool = False
) -> None:
    """Print a table on stdout: drawn on a terminal, tab-separated otherwise.

    one_of_many: the title tells the table from others, and stands before it in a file too, after a #.
    Cells are escaped: a file's name can hold what a terminal would obey.
    """
    if not sys.stdout.isatty():
        if one_of_many:
            click.echo(f"# {title}")
        click.echo("\t".join(columns))
        for row in rows:
            click.echo("\t".join(printable(cell) for cell in row))
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    kept = [list(row) for row in rows]
    for index, column in enumerate(columns):
        numbers = bool(kept) and all(isinstance(row[index], int | float) for row in kept)
        table.add_column(column, justify="right" if numbers else "left", overflow="fold")
    for row in kept:
        table.add_row(*(Text(printable(cell)) for cell in row))
    Console().print(table)


_above: ContextVar[Console | None] = ContextVar("above", default=None)


@contextmanager
def said_above(console: Console) -> Iterator[None]:
    """Have what is said until the block ends printed above the bar that `console` draws, and not into its line."""
    before = _above.set(console)
    try:
        yield
    finally:
        _above.reset(before)


def say(text: str) -> None:
    """Print lines for people, on stderr."""
    lines = printable_lines(text)
    if (console := _above.get()) is not None:
        console.print(lines, markup=False, highlight=False, soft_wrap=True)
    else:
        click.echo(lines, err=True)


def printable_lines(text: str) -> str:
    """Return `text` as `printable` does, line by line."""
    return "\n".join(map(printable, text.split("\n")))


def printable(cell: object) -> str:
    """Return `cell` as text on one line that no terminal obeys: controls and marks of direction escaped."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.4g}" if abs(cell) < 1000 else f"{cell:.1f}"
    return "".join(_escaped(sign) for sign in str(cell))


def path_text(path: bytes) -> str:
    """Return a path as text: what is not UTF-8 percent-escaped, as JSON results name it."""
    try:
        return path.decode("utf-8")
    except UnicodeDecodeError:
        pass
    return "".join(
        f"%{ord(sign) - 0xDC00:02X}" if 0xDC80 <= ord(sign) <= 0xDCFF else sign
        for sign in path.decode("utf-8", "surrogateescape")
    )


def _escaped(sign: str) -> str:
    return sign if sign.isprintable() else sign.encode("unicode_escape", "backslashreplace").decode("ascii")


def percent(part: int, whole: int) -> str:
    """Return a share as text."""
    return f"{100 * part / whole:.1f}%" if whole else "-"
