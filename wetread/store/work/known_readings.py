"""What a model has read already: by a file's bytes, or by what a film shows in a file of other bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CompoundSelect, Select, literal_column, select, union_all
from sqlalchemy.orm import Session

from schemas.tables import SamePicture, StoredPrediction
from wetread.store.core.sent_together import PLAIN
from wetread.store.work.outcomes import LinkedReading


def known_readings(
    session: Session, sha256s: Sequence[str], model_digest: str, *, of_run: int | None = None
) -> dict[str, LinkedReading]:
    """Return {sha256: reading} for the bytes that this model has read, or read in the run `of_run`.

    Of bytes that show what it has read under others, the reading is of these.
    """
    own = _readings(StoredPrediction.sha256, model_digest, of_run).where(StoredPrediction.sha256.in_(sha256s))
    same = _readings(SamePicture.sha256, model_digest, of_run).join(
        SamePicture, SamePicture.prediction_id == StoredPrediction.id
    )
    same = same.where(SamePicture.sha256.in_(sha256s), SamePicture.model_digest == model_digest)
    both = union_all(own.add_columns(literal_column("1")), same.add_columns(literal_column("0")))
    rows = session.execute(both, execution_options=PLAIN).all()
    # A reading of the bytes themselves, which --force may have made since, goes before that of the same picture.
    return {row[0]: LinkedReading(*row[1:4]) for row in sorted(rows, key=lambda row: int(row[4]))}


def known_pictures(
    session: Session, shown: Sequence[str], model_digest: str, *, of_run: int | None = None
) -> dict[str, LinkedReading]:
    """Return {digest of what is shown: reading} for films that this model has read, or read in the run `of_run`."""
    query = _readings(StoredPrediction.shown, model_digest, of_run).where(StoredPrediction.shown.in_(shown))
    return _by_key(session, query.where(StoredPrediction.shown.is_not(None)))  # in the words of its index


def readings_of_bytes(sha256s: Sequence[str]) -> CompoundSelect[Any]:
    """Return a subquery of the ids of all models' readings of these bytes, or of others that show the same."""
    own = select(StoredPrediction.id).where(StoredPrediction.sha256.in_(sha256s))
    return union_all(own, select(SamePicture.prediction_id).where(SamePicture.sha256.in_(sha256s)))


def _readings(key: Any, model_digest: str, of_run: int | None) -> Select[Any]:
    query = select(key, StoredPrediction.id, StoredPrediction.label, StoredPrediction.decision)
    query = query.where(StoredPrediction.model_digest == model_digest)
    return query if of_run is None else query.where(StoredPrediction.run_id == of_run)


def _by_key(session: Session, query: Any) -> dict[str, LinkedReading]:
    rows = session.execute(query, execution_options=PLAIN)
    return {key: LinkedReading(number, label, said) for key, number, label, said in rows}
