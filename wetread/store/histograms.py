"""How a figure of the readings is spread over a run and over the runs before it, counted by the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Float, Integer, case, cast, func, or_, select
from sqlalchemy.orm import Session

from schemas.states import ItemState
from schemas.tables import StoredPrediction, WorkItem

FINE_BINS = 1000
"""Bins of equal width that the database counts in; whoever compares merges them."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure that every reading has. What lies outside of low and high counts in the first or last bin.

    label: the place of a label, whose probability it is; None where `column` names it.
    """

    name: str
    low: float
    high: float
    column: str = "probability"
    label: int | None = None

    def edge(self, number: int) -> float:
        """Return where the fine bin `number` begins."""
        return self.low + (self.high - self.low) * number / FINE_BINS


@dataclass(frozen=True, slots=True)
class Spread:
    """Films in each fine bin, {bin: films}: of the run, and of the runs that it is compared with."""

    run: dict[int, int]
    earlier: dict[int, int]


def spread_of(session: Session, measure: Measure, run_id: int, earlier: Sequence[int]) -> Spread:
    """Count the films of `run_id`, and of the runs `earlier`, by fine bins of `measure`: one query, a row a bin.

    A reading that the run itself made anew (--force) is not counted as one of the earlier runs', nor is one that
    lacks the figure.
    """
    value = _value(measure)
    is_run = WorkItem.run_id == run_id
    number, of_run = _bin(session, measure, value).label("bin"), case((is_run, 1), else_=0).label("of_run")
    query = (
        select(number, of_run, func.count())
        .select_from(WorkItem)
        .join(StoredPrediction, StoredPrediction.id == WorkItem.prediction_id)
        .where(
            WorkItem.run_id.in_([run_id, *earlier]),
            WorkItem.state == ItemState.DONE,
            or_(is_run, StoredPrediction.run_id != run_id),
            value.is_not(None),
        )
        .group_by(number, of_run)
    )
    spread = Spread({}, {})
    for place, own, films in session.execute(query):
        (spread.run if own else spread.earlier)[place] = films
    return spread


def _value(measure: Measure) -> ColumnElement[float]:
    column: Any = getattr(StoredPrediction, "probabilities" if measure.label is not None else measure.column)
    value: ColumnElement[float] = column if measure.label is None else column[measure.label].as_float()
    return value


def _bin(session: Session, measure: Measure, value: ColumnElement[float]) -> ColumnElement[int]:
    place = (value - measure.low) * cast(FINE_BINS / (measure.high - measure.low), Float)
    # Nothing is below 0 here, where SQLite's cast is the floor that it may lack; PostgreSQL's cast rounds.
    whole = cast(place if session.get_bind().dialect.name == "sqlite" else func.floor(place), Integer)
    return case((value < measure.low, 0), (value >= measure.high, FINE_BINS - 1), else_=whole)
