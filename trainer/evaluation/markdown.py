"""Markdown tables and numbers, for model cards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def estimate(figure: Mapping[str, float] | None) -> str:
    """Return a figure of `trainer.evaluation.evaluation` as text: its value and its interval."""
    return "undefined" if figure is None else f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; what a cell holds cannot end it."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def times(count: int) -> str:
    """Return how often, in words where that is once."""
    return "once" if count == 1 else f"{count} times"


def _cell(cell: object) -> str:
    return str(cell).replace("|", "\\|").replace("\n", " ")
