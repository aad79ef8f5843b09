"""A result as JSON, as a line of csv and as a line of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from cli.output import csv_cell, json_text
from wetread.path_text import path_text
from wetread.store.results.columns import COLUMNS, EXPORTED, ColumnKind, ResultRow
from wetread.views.results import result_values

if TYPE_CHECKING:
    from wetread.store.results.blocks import Block

_NESTED = [place for place, (_, _, kind, _) in enumerate(EXPORTED) if kind in (ColumnKind.NUMBERS, ColumnKind.SHARES)]

_JSON_LINE = "{" + ", ".join(f'"{name}": %s' for name in COLUMNS) + "}"

TABLE_COLUMNS = ("path", "state", "label", "probability", "decision", "reason", "model", "run")
STUDY_COLUMNS = ("view", "series", "instance")
"""What a table shows, and what more where a study was asked for."""

DROPPED_FIRST = ("run", "model", "state", "reason", "instance", "series")
"""Columns that a narrow terminal has no room for, in this order."""


def exported_columns(block: Block) -> list[list[Any]]:
    """Return COLUMNS of many rows, each a list: as `result_values`, but times, days and what is nested as text."""
    return [
        list(map(path_text, block[column.name])) if column.kind is ColumnKind.PATH else block[column.name]
        for column in EXPORTED
    ]


def json_lines(block: Block) -> Iterator[str]:
    """Yield what `result_json` says of each row, as JSON on a line."""
    columns = [
        ["null" if text is None else text for text in column] if place in _NESTED else each_once(column, _json_value)
        for place, column in enumerate(exported_columns(block))
    ]
    return map(_JSON_LINE.__mod__, zip(*columns, strict=True))


def _json_value(value: object) -> str:
    """Return `value` as `json_text` does, which takes five times as long for a number."""
    return repr(value) if type(value) is float and isfinite(value) else json_text(value)


def csv_lines(block: Block) -> Iterator[str]:
    """Yield each row as csv, as `emit_csv` has it; the line's end is not in it."""
    return map(",".join, zip(*(each_once(column, csv_cell) for column in exported_columns(block)), strict=True))


def each_once(column: Sequence[Any], change: Callable[[Any], Any]) -> list[Any]:
    """Return `column` with each value changed; what many rows share is changed once."""
    changed = {value: change(value) for value in set(column)}
    return [changed[value] for value in column]


def csv_row(row: ResultRow) -> list[object]:
    """Return one line of csv: probabilities are a JSON object in one cell, since labels differ by model."""
    cells = list(result_values(row))
    for place in _NESTED:
        if cells[place] is not None:
            cells[place] = json_text(cells[place])
    return cells


def table_row(row: ResultRow, *, of_study: bool) -> tuple[object, ...]:
    """Return one line of a table. of_study: with where in its study a film is."""
    shown = (
        path_text(row.path), row.state, row.label, row.probability, row.decision, row.reason, row.model, row.run
    )  # fmt: skip
    return (*shown, row.view, row.series_uid, row.instance_uid) if of_study else shown
