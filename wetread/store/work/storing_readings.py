"""New readings, as they are stored: one of each picture and model, whatever files show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, update
from sqlalchemy.orm import Session

from schemas.predictions import Prediction
from schemas.tables import SamePicture, StoredPrediction
from wetread.store.core.sent_together import say
from wetread.store.core.upsert import insert_for
from wetread.store.work.known_readings import known_pictures, known_readings
from wetread.store.work.leases import Claim
from wetread.store.work.outcomes import Outcome

_KEY = ("sha256", "model_digest")
_READINGS: Any = StoredPrediction.__table__


def store_predictions(session: Session, held: Claim, outcomes: Sequence[Outcome], now: datetime) -> dict[str, int]:
    """Return {sha256: prediction id}, having stored the new ones; only a forced run replaces what is there.

    Two workers may have read one picture from two files: the first that stores it has read it for both. The database
    holds that, by an index.
    """
    new = {o.prediction.sha256: o.prediction for o in outcomes if o.prediction is not None}
    stored = _store_files(session, held, [new[key] for key in sorted(new) if new[key].shown is None], now)
    # By what they show, since that is what two workers may wait for each other by.
    films = sorted((one for one in new.values() if one.shown is not None), key=lambda one: (one.shown, one.sha256))
    of_films, same = _store_films(session, held, films, now)
    linked = {o.sha256: o.linked.prediction_id for o in outcomes if o.shown and o.linked and o.sha256}
    _note_same(session, held, same | linked)
    return stored | of_films


def _store_files(session: Session, held: Claim, new: Sequence[Prediction], now: datetime) -> dict[str, int]:
    """Store readings of files that are known by their bytes alone."""
    if not new:
        return {}
    rows = [_row(one, held.run_id, now) for one in new]
    statement = insert_for(session)(StoredPrediction)
    if held.force:
        replaced = {name: statement.excluded[name] for name in rows[0] if name not in _KEY}
        statement = statement.on_conflict_do_update(index_elements=list(_KEY), set_=replaced)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=list(_KEY))
    stored = _stored(session, statement, rows)
    return stored | _known(session, held, [one for one in new if one.sha256 not in stored])


def _store_films(
    session: Session, held: Claim, new: Sequence[Prediction], now: datetime
) -> tuple[dict[str, int], dict[str, int]]:
    """Store readings of DICOM films; return their ids, and of these again those that are of other bytes."""
    if not new:
        return {}, {}
    rows = [_row(one, held.run_id, now) for one in new]
    stored = _stored(session, insert_for(session)(StoredPrediction).on_conflict_do_nothing(), rows)
    left = [one for one in new if one.sha256 not in stored]
    there = _known(session, held, left)
    shown = [one.shown for one in left if one.sha256 not in there and one.shown]
    by_shown = known_pictures(session, shown, held.model_digest) if shown else {}
    same = {one.sha256: by_shown[one.shown or ""].prediction_id for one in left if one.sha256 not in there}
    if held.force and left:
        kept = {(there | same)[one.sha256]: row for one, row in zip(new, rows, strict=True) if one in left}
        _replace(session, kept)
    if held.force:
        _forget_same(session, held, stored)
    return stored | there | same, same


def _replace(session: Session, rows: Mapping[int, Mapping[str, object]]) -> None:
    values = [
        {"key": key} | {name: value for name, value in row.items() if name not in (*_KEY, "shown")}
        for key, row in sorted(rows.items())
    ]
    names = [name for name in values[0] if name != "key"]
    statement = update(_READINGS).where(_READINGS.c.id == bindparam("key"))
    say(session, statement.values({name: bindparam(name) for name in names}), values)


def _forget_same(session: Session, held: Claim, stored: Mapping[str, int]) -> None:
    """Bytes that have a reading of their own now are no longer those of another's picture."""
    if stored:
        links = delete(SamePicture).where(SamePicture.sha256.in_(sorted(stored)))
        say(session, links.where(SamePicture.model_digest == held.model_digest))


def _note_same(session: Session, held: Claim, same: Mapping[str, int]) -> None:
    """Keep which bytes show what was read under others, so that these are known by themselves next time."""
    if same:
        rows = [
            {"sha256": sha256, "model_digest": held.model_digest, "prediction_id": same[sha256]}
            for sha256 in sorted(same)
        ]
        say(session, insert_for(session)(SamePicture.__table__).on_conflict_do_nothing(), rows)


def _stored(session: Session, statement: Any, rows: Sequence[Mapping[str, object]]) -> dict[str, int]:
    answer = session.execute(statement.returning(StoredPrediction.sha256, StoredPrediction.id), rows)
    return {row.sha256: row.id for row in answer}


def _known(session: Session, held: Claim, left: Sequence[Prediction]) -> dict[str, int]:
    if not left:
        return {}
    known = known_readings(session, [one.sha256 for one in left], held.model_digest)
    return {sha256: found.prediction_id for sha256, found in known.items()}


def _row(prediction: Prediction, run_id: int, now: datetime) -> dict[str, object]:
    """Return the columns of a new reading, made now in a run."""
    return {
        "sha256": prediction.sha256,
        "model_digest": prediction.model_digest,
        "decision_digest": prediction.decision_digest,
        "engine": prediction.engine,
        "run_id": run_id,
        "logits": list(prediction.logits),
        "gate_score": prediction.gate_score,
        "grey_mean": prediction.grey_mean,
        "grey_deviation": prediction.grey_deviation,
        "label": prediction.label,
        "probability": prediction.probability,
        "probabilities": list(prediction.probabilities),
        "decision": prediction.decision,
        "read_at": now,
        "shown": prediction.shown,
    }
