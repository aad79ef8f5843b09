"""Prints a table in the terminal's width: breaks no word, and shortens a long path from its start.

It is drawn as it is where it fits. Else its texts are wrapped between words and its paths lose their beginning; where
that is not enough, columns that can be done without are dropped; and where even that is not, each row becomes a few
lines, a column a line.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LEAST_PATH = 24
"""Signs of a path that tell one film from another, as a rule."""

WIDE_GAP, GAP, EDGE = 3, 2, 2
CUT = "…"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of cells that are escaped already. right: they are numbers."""

    name: str
    cells: tuple[str, ...]
    right: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    """A table as lines. head: the names of its columns. dropped: columns that did not fit."""

    head: str
    lines: list[str]
    dropped: list[str]


def drawn(columns: Sequence[Column], width: int, drop: Sequence[str] = (), below: Sequence[str] = ()) -> Drawn:
    """Return the table in `width` signs.

    drop: what can be done without, the first to go first. below: what is written under its row where it has no room.
    """
    kept, under, dropped = list(columns), list[Column](), list[str]()
    for gone in ((), below, *((name,) for name in drop)):
        moved = [column for column in kept if column.name in gone and any(column.cells)]
        kept = [column for column in kept if column.name not in gone]
        if gone is below:
            under = moved
        else:
            dropped += [column.name for column in moved]
        for gap in (WIDE_GAP, GAP):
            widths = _widths(kept, width, gap)
            # What can stand below its row goes there before it is wrapped beside.
            if widths is not None and (gone or not below or widths == list(map(_natural, kept))):
                return _table(kept, widths, gap, under, width, dropped)
    return _stacked(columns, width)


def text_width(text: str) -> int:
    """Return how many places a terminal gives `text`: two to signs of East Asia, none to marks above others."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else not unicodedata.combining(sign) for sign in text)


def cut_path(path: str, width: int) -> str:
    """Return the end of `path` in `width` signs, from the beginning of a name on where there is one near."""
    if text_width(path) <= width:
        return path
    end = path
    while end and text_width(end) > width - len(CUT):
        end = end[1:]
    slash = end.find("/")
    return CUT + (end[slash:] if 0 <= slash < len(end) // 2 else end)


def wrapped(text: str, width: int) -> list[str]:
    """Return `text` in lines of `width` signs, broken between words alone; a path that is too long is cut in front."""
    lines = [""]
    for word in _words(text):
        fitting = cut_path(word, width) if "/" in word else word
        joined = f"{lines[-1]} {fitting}" if lines[-1] else fitting
        if text_width(joined) <= width or not lines[-1]:
            lines[-1] = joined
        else:
            lines.append(fitting)
    return lines


def _words(text: str) -> list[str]:
    """Return what stays whole: words, a path with its spaces, and what has no letters, as 2026-11-30 22:00."""
    is_path = text.startswith("/") and ", /" not in text
    return [text] if is_path or not any(map(str.isalpha, text)) else text.split(" ")


def _widths(columns: Sequence[Column], width: int, gap: int) -> list[int] | None:
    """Return how wide each column is drawn; None when they have no room."""
    natural = [_natural(column) for column in columns]
    room = width - EDGE - 1 - gap * (len(columns) - 1)
    if sum(natural) <= room:
        return natural
    least = [_least(column) for column in columns]
    if sum(least) > room or gap == WIDE_GAP:
        return None
    left, found = room - sum(least), list(least)
    # What needs least more is given it first: one long text does not have all others wrapped.
    for index in sorted(range(len(columns)), key=lambda index: natural[index] - least[index]):
        waiting = sum(natural[other] > found[other] for other in range(len(columns)))
        more = min(natural[index] - least[index], left // max(1, waiting))
        found[index] += more
        left -= more
    return found


def _natural(column: Column) -> int:
    return max(map(text_width, (column.name, *column.cells)))


def _least(column: Column) -> int:
    """Return the width below which a word of the column would be broken."""
    return max(_longest_word(text) for text in (column.name, *column.cells))


def _longest_word(text: str) -> int:
    return max(min(text_width(word), LEAST_PATH) if "/" in word else text_width(word) for word in _words(text))


def _table(
    columns: Sequence[Column], widths: Sequence[int], gap: int, under: Sequence[Column], width: int, dropped: list[str]
) -> Drawn:
    right = [column.right for column in columns]
    head = _lines([column.name for column in columns], widths, right, gap)
    lines = [" " + "─" * (sum(widths) + gap * (len(columns) - 1) + 2)]
    for number, row in enumerate(zip(*(column.cells for column in columns), strict=True)):
        lines += _lines(row, widths, right, gap)
        for column in under:
            if column.cells[number]:
                parts = wrapped(f"{column.name}: {column.cells[number]}", width - 2 * EDGE - GAP)
                lines += [(" " * (2 * EDGE + GAP) + part).rstrip() for part in parts]
    return Drawn("\n".join(head), lines, dropped)


def _lines(row: Sequence[str], widths: Sequence[int], right: Sequence[bool], gap: int) -> Iterator[str]:
    cells = [wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
    for number in range(max(map(len, cells), default=0)):
        parts = []
        for cell, width, at_right in zip(cells, widths, right, strict=True):
            text = cell[number] if number < len(cell) else ""
            space = " " * (width - text_width(text))
            parts.append(space + text if at_right else text + space)
        yield (" " * EDGE + (" " * gap).join(parts)).rstrip()


def _stacked(columns: Sequence[Column], width: int) -> Drawn:
    """Return each row as lines of a column's name and its value; what is empty is left out.

    Of two columns the first names what stands in the second: it takes the name's place.
    """
    if len(columns) == 2:
        return Drawn("", list(_named(columns[0].cells, columns[1].cells, width)), [])
    names = max((text_width(column.name) for column in columns), default=0)
    lines: list[str] = []
    for row in zip(*(column.cells for column in columns), strict=True):
        lines.append("")
        for column, cell in zip(columns, row, strict=True):
            room = max(width - EDGE - names - GAP, 1)
            for number, part in enumerate(wrapped(cell, room) if cell else []):
                name = column.name if number == 0 else ""
                lines.append(f"{' ' * EDGE}{name}{' ' * (names - text_width(name) + GAP)}{part}".rstrip())
    return Drawn("", lines[1:], [])


def _named(names: Sequence[str], values: Sequence[str], width: int) -> Iterator[str]:
    """Yield each name with its value beside it, or below it where a word of the value has no room there."""
    widest = max(map(text_width, names), default=0)
    for name, value in zip(names, values, strict=True):
        beside = EDGE + widest + GAP
        if _longest_word(value) <= width - beside:
            for number, part in enumerate(wrapped(value, width - beside)):
                first = name if number == 0 else ""
                yield f"{' ' * EDGE}{first}{' ' * (beside - EDGE - text_width(first))}{part}".rstrip()
        else:
            edge = EDGE + GAP if _longest_word(value) <= width - EDGE - GAP else EDGE
            yield " " * EDGE + name
            yield from ((" " * edge + part).rstrip() for part in wrapped(value, max(width - edge, 1)))
