"""Stores another decision for a model, and applies it to the stored readings.

Nobody settles while a transaction of this module runs, and whoever read under the earlier decision is refused then
and reads again; so the runs' counts of uncertain images stay true at every moment.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from schemas.predictions import UNCERTAIN
from schemas.states import ItemState
from schemas.tables import Model, StoredPrediction, WorkItem
from wetread.store.core.locks import lock_readings
from wetread.store.models.registrations import DecisionValues, keep_decision
from wetread.store.work.tallies import add_tallies


@dataclass(frozen=True, slots=True)
class StoredReading:
    """A model's reading of a file. logits, probabilities: one a label."""

    id: int
    logits: tuple[float, ...]
    label: str
    probability: float
    probabilities: tuple[float, ...]
    decision: str


def put_in_force(session: Session, values: DecisionValues) -> None:
    """Let the model decide by `values` from now on; call it first in its transaction."""
    lock_readings(session, values.model_digest, alone=True)
    keep_decision(session, values)
    session.execute(update(Model).where(Model.digest == values.model_digest).values(decision_digest=values.digest))


def stale_readings(session: Session, values: DecisionValues, *, after: int, limit: int) -> list[StoredReading]:
    """Return readings of the model that another decision than `values` decided, by id from above `after`."""
    lock_readings(session, values.model_digest, alone=True)
    of = StoredPrediction
    query = (
        select(of.id, of.logits, of.label, of.probability, of.probabilities, of.decision)
        .where(of.id > after, of.model_digest == values.model_digest, of.decision_digest != values.digest)
        .order_by(of.id)
        .limit(limit)
    )
    return [
        StoredReading(row.id, tuple(row.logits), row.label, row.probability, tuple(row.probabilities), row.decision)
        for row in session.execute(query)
    ]


def decide_anew(
    session: Session, values: DecisionValues, before: Sequence[StoredReading], now: Sequence[StoredReading]
) -> None:
    """Store `now`, the same readings as `before` in the same order, as decided by `values`; keep the runs' counts."""
    statement = (
        update(StoredPrediction.__table__)  # type: ignore[arg-type]  # a Table, which mypy knows as FromClause
        .where(StoredPrediction.__table__.c.id == bindparam("key"))
        .values(decision_digest=values.digest)
    )
    rows = [
        {
            "key": reading.id,
            "probability": reading.probability,
            "probabilities": list(reading.probabilities),
            "decision": reading.decision,
        }
        for reading in now
    ]
    session.connection().execute(statement, rows)
    changes = {
        new.id: (new.label, (new.decision == UNCERTAIN) - (old.decision == UNCERTAIN))
        for old, new in zip(before, now, strict=True)
    }
    _count_uncertain(session, {key: change for key, change in changes.items() if change[1]})


def _count_uncertain(session: Session, changes: dict[int, tuple[str, int]]) -> None:
    """Add to the counts of each run that has images with these readings: {reading: (label, 1 or -1)}."""
    if not changes:
        return
    query = (
        select(WorkItem.run_id, WorkItem.prediction_id, func.count())
        .where(WorkItem.prediction_id.in_(list(changes)), WorkItem.state == ItemState.DONE)
        .group_by(WorkItem.run_id, WorkItem.prediction_id)
    )
    tallies: defaultdict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
    for run_id, reading, images in session.execute(query):
        label, change = changes[reading]  # type: ignore[index]  # not NULL: it is among the changes
        tallies[run_id]["uncertain", label] += change * images
    for run_id in sorted(tallies):
        add_tallies(session, run_id, tallies[run_id])
