"""The values that a filter can have, so that an unknown value is refused."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from schemas.predictions import UNCERTAIN
from schemas.tables import Image, Model, Root, Run, StoredHeader, WorkItem
from wetread.store.results.filters import Filters, equals, path_ranges, scope

MOST = 50
"""Values that are listed; of views and modalities there are a handful."""


def known_labels(session: Session, filters: Filters) -> list[str]:
    """Return the labels that these filters' run or model can give; of all models, where they name neither."""
    query = select(Model.labels)
    if filters.model_digest is not None:
        query = query.where(Model.digest == filters.model_digest)
    elif filters.run is not None:
        query = query.where(Model.digest.in_(select(Run.model_digest).where(Run.id == filters.run)))
    return sorted({label for labels in session.scalars(query) for label in labels})


def known_decisions(session: Session, filters: Filters) -> list[str]:
    """Return what a decision can say: a label, or uncertain."""
    return [*known_labels(session, filters), UNCERTAIN]


def known_codes(session: Session, name: str) -> list[str]:
    """Return the values of a column of headers, at most MOST, each by one look into its index."""
    column = getattr(StoredHeader, name)
    found: list[str] = []
    value = session.scalar(select(func.min(column)))
    while value is not None and len(found) < MOST:
        found.append(value)
        value = session.scalar(select(func.min(column)).where(column > value))
    return found


def has_header(session: Session, name: str, value: str) -> bool:
    """Return whether a header has this value."""
    return bool(session.scalar(select(exists().where(equals(getattr(StoredHeader, name), value)))))


def has_images(session: Session, prefix: bytes) -> bool:
    """Return whether an image's path begins with `prefix`, as `path_ranges` has it."""
    ranges = path_ranges(session, prefix)
    return any(session.scalar(select(Image.id).where(or_(one)).limit(1)) is not None for one in ranges)


def known_roots(session: Session) -> list[bytes]:
    """Return the directories that were screened."""
    return sorted(session.scalars(select(Root.path)))


def models_with_readings(session: Session) -> Sequence[Model]:
    """Return the models of which an image has a current reading, by name and version."""
    models = session.scalars(select(Model).order_by(Model.name, Model.version)).all()
    current = WorkItem.current.expression
    return [
        model
        for model in models
        if session.scalar(select(WorkItem.image_id).where(WorkItem.model_digest == model.digest, current).limit(1))
        is not None
    ]


def count_asked(session: Session, filters: Filters) -> int:
    """Return how many settled images the filters' run or model has, before the other filters."""
    where = scope(filters)
    if filters.model_digest is not None:
        where.append(WorkItem.model_digest == filters.model_digest)
    return session.scalar(select(func.count()).select_from(WorkItem).where(*where)) or 0
