"""Histograms of readings' figures over a run and the runs before it, in one pass."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Text, cast, or_, select
from sqlalchemy.orm import Session

from schemas.states import ItemState
from schemas.tables import StoredPrediction, WorkItem

FINE_BINS = 1000
"""Bins of equal width that films are counted in; whoever compares merges them."""

ROWS_AT_ONCE = 10_000
"""Rows held at a time. To sum up in SQL would cost SQLite more: it sorts all rows of a GROUP BY, in memory."""


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

    def places(self, values: Sequence[float | None]) -> Counter[int]:
        """Return how many of `values` are in each fine bin; None is not counted."""
        low, scale, last = self.low, FINE_BINS / (self.high - self.low), FINE_BINS - 1
        found: Counter[int] = Counter()
        for place, films in Counter([(value - low) * scale // 1.0 for value in values if value is not None]).items():
            found[int(min(max(place, 0.0), last))] += films
        return found


@dataclass(frozen=True, slots=True)
class Spread:
    """Films in each fine bin, {bin: films}: of the run, and of the runs that it is compared with."""

    run: Counter[int] = field(default_factory=Counter)
    earlier: Counter[int] = field(default_factory=Counter)


def spreads_of(session: Session, measures: Sequence[Measure], run_id: int, earlier: Sequence[int]) -> list[Spread]:
    """Count the films of `run_id`, and of the runs `earlier`, by fine bins of each of `measures`: one query for all.

    A reading that the run itself made anew (--force) is not counted as one of the earlier runs', nor is one that
    lacks the figure. Memory does not grow with the runs.
    """
    columns = sorted({one.column for one in measures if one.label is None})
    is_run = WorkItem.run_id == run_id
    # Text, since to parse the lists of many rows at once takes half the time.
    query = (
        select(WorkItem.run_id, cast(StoredPrediction.probabilities, Text), *(_column(name) for name in columns))
        .join(StoredPrediction, StoredPrediction.id == WorkItem.prediction_id)
        .where(
            WorkItem.run_id.in_([run_id, *earlier]),
            WorkItem.state == ItemState.DONE,
            or_(is_run, StoredPrediction.run_id != run_id),
        )
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    spreads = [Spread() for _ in measures]
    with session.execute(query) as found:
        for rows in found.partitions():
            own, before = [row for row in rows if row[0] == run_id], [row for row in rows if row[0] != run_id]
            for measure, spread, run, past in zip(
                measures, spreads, _figures(measures, columns, own), _figures(measures, columns, before), strict=True
            ):
                spread.run.update(measure.places(run))
                spread.earlier.update(measure.places(past))
    return spreads


def _column(name: str) -> Any:
    return getattr(StoredPrediction, name)


def _figures(measures: Sequence[Measure], columns: Sequence[str], rows: Sequence[Any]) -> list[Sequence[float | None]]:
    """Return, for each measure, its figures of all rows."""
    if not rows:
        return [()] * len(measures)
    _, texts, *others = zip(*rows, strict=True)
    by_label = list(zip(*json.loads(f"[{','.join(texts)}]"), strict=True))
    by_name = dict(zip(columns, others, strict=True))
    return [by_name[one.column] if one.label is None else by_label[one.label] for one in measures]
