"""A result as JSON: one line of `results list --format jsonl`, and one prediction of the HTTP API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from wetread.path_text import path_text
from wetread.store.results.columns import COLUMNS, EXPORTED, ColumnKind, ResultRow


def _no_empty_text(text: str) -> str | None:
    return text or None


_SHOWN_BY_KIND: dict[ColumnKind, Callable[[Any], object]] = {
    ColumnKind.PATH: path_text,
    ColumnKind.MOMENT: datetime.isoformat,
    ColumnKind.DAY: date.isoformat,
    ColumnKind.NOTES: _no_empty_text,
}
_SHOWN = [
    (place, _SHOWN_BY_KIND[kind])
    for place, kind in enumerate(column.kind for column in EXPORTED)
    if kind in _SHOWN_BY_KIND
]


def result_values(row: ResultRow) -> tuple[Any, ...]:
    """Return the values of COLUMNS: numbers, text, None, {label: probability}, [millimetres, millimetres]."""
    values: list[Any] = list(row[: len(COLUMNS)])
    for place, shown in _SHOWN:
        if values[place] is not None:
            values[place] = shown(values[place])
    return tuple(values)


def result_json(row: ResultRow) -> dict[str, Any]:
    """Return one line of `results list --format jsonl`."""
    return dict(zip(COLUMNS, result_values(row), strict=True))
