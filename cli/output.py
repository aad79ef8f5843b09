"""Prints: data on stdout, everything else on stderr."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from schemas.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

NOT_DIAGNOSTIC = "Research software: not for diagnostic use."

STANDARD_OUTPUT = "-"
"""The file of this name, wherever a command writes one."""

FORMULA_BEGINNINGS = frozenset("=+-@\t\r")
"""A spreadsheet takes a cell that begins so for a formula, which can call programs."""

_MUST_BE_QUOTED = re.compile('[",\r\n]').search
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
"""Made once: json.dumps makes one for each call that has options."""


def emit_json(data: Any) -> None:
    """Print one JSON document on stdout; what a terminal would obey is escaped, as JSON has it."""
    click.echo(json_text(data))


def emit_json_array(rows: Iterable[Any]) -> None:
    """Print one JSON array on stdout, a row a line, in constant memory."""
    lines = map(json_text, rows)
    click.echo("[" + next(lines, ""), nl=False)
    for line in lines:
        click.echo(",\n" + line, nl=False)
    click.echo("]")


def json_text(data: Any) -> str:
    """Return one JSON document on one line, with what a terminal would obey escaped, as JSON has it."""
    text = _JSON(data)
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in text)
    return text


def emit_bytes(data: bytes) -> None:
    """Write a file to stdout; raise UsageError where that is a terminal."""
    if sys.stdout.isatty():
        raise UsageError(
            "expected a file or a program behind standard output, found a terminal: send it on with > or |"
        )
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


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
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str | None = None,
    one_of_many: bool = False,
    drop: Sequence[str] = (),
    below: Sequence[str] = (),
) -> None:
    """Print a table on stdout: drawn on a terminal, in its width, and tab-separated, whole, otherwise.

    one_of_many: the title tells the table from others, and stands before it in a file too, after a #.
    drop: columns that a narrow terminal can do without, the first to go first; it says on stderr which went.
    below: columns that are written under their row where there is no room beside.
    Cells are escaped: a file's name can hold what a terminal would obey.
    """
    if not sys.stdout.isatty():
        if one_of_many:
            click.echo(f"# {title}")
        click.echo("\t".join(columns))
        for row in rows:
            click.echo("\t".join(printable(cell) for cell in row))
        return
    import shutil

    from cli.table import Column, drawn, wrapped

    kept = [list(row) for row in rows]
    shown = []
    for index, name in enumerate(columns):
        cells = [row[index] for row in kept]
        numbers = bool(cells) and all(isinstance(cell, int | float) for cell in cells)
        shown.append(Column(name, tuple(map(printable, cells)), right=numbers))
    width = shutil.get_terminal_size().columns
    table = drawn(shown, width, drop, below)
    if title is not None:
        click.echo(_styled("\n".join(wrapped(title, width)), italic=True))
    click.echo("\n" + _styled(table.head, bold=True) if table.head else "")
    click.echo("\n".join([*table.lines, ""]))
    if table.dropped:
        say(f"no room for {', '.join(table.dropped)}: --json has all")


_quiet = False


def set_quiet(quiet: bool) -> None:
    """Have `say` and the bars of progress print nothing, or again; faults and alarms are told all the same."""
    global _quiet
    _quiet = quiet


def is_quiet() -> bool:
    """Return whether only data, faults and alarms are printed."""
    return _quiet


_above: ContextVar[Console | None] = ContextVar("above", default=None)


@contextmanager
def said_above(console: Console) -> Iterator[None]:
    """Within the block, print messages above the bar that `console` draws, and not into its line."""
    before = _above.set(console)
    try:
        yield
    finally:
        _above.reset(before)


def say(text: str) -> None:
    """Print lines for people, on stderr, unless they asked for quiet."""
    if not _quiet:
        warn(text)


def warn(text: str) -> None:
    """Print important lines on stderr, also under --quiet."""
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


def _styled(text: str, **style: bool) -> str:
    """Return `text` so styled, or plain where the terminal knows no styles, or its user wants none."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") in ("dumb", "unknown")
    return text if plain else click.style(text, **style)


def _escaped(sign: str) -> str:
    return sign if sign.isprintable() else sign.encode("unicode_escape", "backslashreplace").decode("ascii")


def percent(part: int, whole: int) -> str:
    """Return a share as text."""
    return f"{100 * part / whole:.1f}%" if whole else "-"
