"""What a film's page shows beside the film: its path, its study's other films, other models' readings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.errors import UsageError
from schemas.tables import Image, Model, Root, Run, StoredDecision, StoredPrediction, WorkItem
from wetread.store.results.columns import ResultRow
from wetread.store.results.filters import Filters
from wetread.store.results.finding import find_results
from wetread.store.reviews.worklist import FilmKey
from wetread.store.work.known_readings import readings_of_bytes

FILMS_OF_A_STUDY = 12


def where_it_lies(session: Session, key: FilmKey) -> tuple[bytes, bytes, Mapping[str, Sequence[str]] | None]:
    """Return (root, path below it, words that its run has read anyway); raise UsageError without such a film."""
    query = (
        select(Root.path, Image.path, Run.accepts)
        .join(Image, Image.root_id == Root.id)
        .join(WorkItem, WorkItem.image_id == Image.id)
        .join(Run, Run.id == WorkItem.run_id)
        .where(WorkItem.run_id == key.run, WorkItem.image_id == key.image)
    )
    row = session.execute(query).first()
    if row is None:
        raise UsageError("expected a film, found none of this number; begin the list again")
    return row[0], row[1], row[2]


def thresholds_of(session: Session, decision_digest: str | None) -> Mapping[str, float]:
    """Return label -> least probability of a decision."""
    decision = None if decision_digest is None else session.get(StoredDecision, decision_digest)
    return {} if decision is None else decision.thresholds


def said_by_others(session: Session, row: ResultRow) -> list[tuple[str, str, float, str]]:
    """Return (model, label, probability, decision) of each other model that read these bytes, by name."""
    if row.sha256 is None:
        return []
    reading = StoredPrediction
    query = (
        select(Model.name, Model.version, reading.label, reading.probability, reading.decision)
        .join(Model, Model.digest == reading.model_digest)
        .where(reading.id.in_(readings_of_bytes([row.sha256])), reading.model_digest != row.model_digest)
        .order_by(Model.name, Model.version)
    )
    return [(f"{name}@{version}", label, share, said) for name, version, label, share, said in session.execute(query)]


def of_its_study(session: Session, row: ResultRow) -> list[ResultRow]:
    """Return the other films of its study that this model read, at most FILMS_OF_A_STUDY."""
    if row.study_uid is None:
        return []
    filters = Filters(study_uid=row.study_uid, model_digest=row.model_digest)
    found = find_results(session, filters, limit=FILMS_OF_A_STUDY + 1)
    return [one for one in found if one.image_id != row.image_id][:FILMS_OF_A_STUDY]


def labels_of(session: Session, row: ResultRow) -> list[str]:
    """Return the labels of the model that read this film."""
    model = session.get(Model, row.model_digest)
    return [] if model is None else list(model.labels)
