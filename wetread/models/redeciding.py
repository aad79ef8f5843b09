"""Puts a decision in force for a model, and decides all its stored readings again without reading a film."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from schemas.predictions import UNCERTAIN
from wetread.models.decision import Decision, probabilities, said
from wetread.store.core.database import Database
from wetread.store.models import redeciding
from wetread.store.models.redeciding import StoredReading
from wetread.store.models.registrations import DecisionValues

READINGS = 1_000
"""Readings decided anew in one transaction: workers wait for it."""


def put_in_force(
    database: Database,
    decision: Decision,
    labels: Sequence[str],
    progress: Callable[[int], None] | None = None,
) -> int:
    """Put `decision` in force for a registered model, and decide its stored readings again; return how many.

    labels: the model's, in the order of its logits. progress: called with how many were decided so far. Workers go on
    meanwhile, under the new decision from their next batch. Cut short, the same call goes on.
    """
    values = DecisionValues(decision.digest, decision.model_digest, decision.temperature, decision.thresholds)
    with database.writing() as session:
        redeciding.put_in_force(session, values)
    decided, last = 0, 0
    while True:
        with database.writing() as session:
            before = redeciding.stale_readings(session, values, after=last, limit=READINGS)
            if not before:
                return decided
            redeciding.decide_anew(session, values, before, decided_by(decision, labels, before))
        decided, last = decided + len(before), before[-1].id
        if progress is not None:
            progress(decided)


def decided_by(decision: Decision, labels: Sequence[str], readings: Sequence[StoredReading]) -> list[StoredReading]:
    """Return the readings as `decision` decides them. Their labels stay: no temperature changes which is highest."""
    shares = probabilities(np.array([reading.logits for reading in readings]), decision.temperature)
    best = np.array([labels.index(reading.label) for reading in readings], dtype=np.int64)
    sure = said(shares, best, decision.thresholds, labels)
    return [
        replace(
            reading,
            probability=float(row[index]),
            probabilities=tuple(row.tolist()),
            decision=reading.label if let else UNCERTAIN,
        )
        for reading, row, index, let in zip(readings, shares, best, sure, strict=True)
    ]
