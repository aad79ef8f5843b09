"""Asking the results: filters become bound parameters, rows stream."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, false, func, or_, select
from sqlalchemy.orm import Session

from schemas.films import FilmHeader
from schemas.predictions import UNCERTAIN
from schemas.states import ItemState
from schemas.tables import Image, Model, Root, StoredHeader, StoredPrediction, WorkItem


@dataclass(frozen=True, slots=True)
class Filters:
    """What to look for; None means any.

    run: what that run settled; without it, the current reading of each image by each model.
    path: bytes that the absolute path begins with, or, when relative, the path under its root.
    study_uid, series_uid: of DICOM films.
    since, until: of the settling, since included and until not.
    """

    run: int | None = None
    model_digest: str | None = None
    label: str | None = None
    decision: str | None = None
    state: str | None = None
    min_probability: float | None = None
    since: datetime | None = None
    until: datetime | None = None
    path: bytes | None = None
    sha256: str | None = None
    study_uid: str | None = None
    series_uid: str | None = None


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One image as one model read it, or why it did not. `path` is absolute, as bytes.

    From study_uid on: what is kept of a DICOM file's header, as in `schemas.films.FilmHeader`.
    """

    path: bytes
    sha256: str | None
    state: str
    reason: str | None
    detail: str | None
    model: str
    model_digest: str
    run: int
    settled_at: datetime | None
    attempts: int
    worker: str | None
    label: str | None = None
    probability: float | None = None
    probabilities: dict[str, float] | None = None
    decision: str | None = None
    decision_digest: str | None = None
    logits: list[float] | None = None
    engine: str | None = None
    read_at: datetime | None = None
    study_uid: str | None = None
    series_uid: str | None = None
    instance_uid: str | None = None
    view: str | None = None
    modality: str | None = None
    acquired_on: date | None = None
    pixel_spacing: list[float] | None = None
    patient_hash: str | None = None


_OF_HEADER = tuple(known.name for known in fields(FilmHeader))


def find_results(session: Session, filters: Filters, *, limit: int | None = None) -> Iterator[ResultRow]:
    """Yield the rows that `filters` let through, in the order in which their images were found."""
    query: Any = (
        select(WorkItem, Image.path, Root.path.label("root"), Model, StoredPrediction, StoredHeader)
        .join(Image, Image.id == WorkItem.image_id)
        .join(Root, Root.id == Image.root_id)
        .join(Model, Model.digest == WorkItem.model_digest)
        .outerjoin(StoredPrediction, StoredPrediction.id == WorkItem.prediction_id)
        .outerjoin(StoredHeader, StoredHeader.id == WorkItem.header_id)
    )
    query = _filtered(session, query, filters).order_by(WorkItem.image_id, WorkItem.run_id)
    if limit is not None:
        query = query.limit(limit)
    for item, path, root, model, prediction, header in session.execute(query.execution_options(yield_per=1000)):
        yield _row(item, os.path.join(root, path), model, prediction, header)


def label_counts(session: Session, filters: Filters) -> list[tuple[str, str, int, int, float]]:
    """Return (model, label, images, uncertain ones of them, mean probability) for what `filters` let through."""
    uncertain = func.sum(case((StoredPrediction.decision == UNCERTAIN, 1), else_=0))
    probability = func.avg(StoredPrediction.probability)
    query = (
        select(Model.name, Model.version, StoredPrediction.label, func.count(), uncertain, probability)
        .select_from(WorkItem)
        .join(Image, Image.id == WorkItem.image_id)
        .join(Model, Model.digest == WorkItem.model_digest)
        .join(StoredPrediction, StoredPrediction.id == WorkItem.prediction_id)
    )
    grouped = _filtered(session, query, filters).group_by(Model.name, Model.version, StoredPrediction.label)
    rows = session.execute(grouped.order_by(Model.name, Model.version, StoredPrediction.label))
    return [
        (f"{name}@{version}", label, count, int(unsure), float(mean))
        for name, version, label, count, unsure, mean in rows
    ]


def failure_counts(session: Session, filters: Filters) -> list[tuple[str, str, str, int]]:
    """Return (model, state, reason, images) for what was rejected or is dead."""
    query = (
        select(Model.name, Model.version, WorkItem.state, WorkItem.reason, func.count())
        .select_from(WorkItem)
        .join(Image, Image.id == WorkItem.image_id)
        .join(Model, Model.digest == WorkItem.model_digest)
        .outerjoin(StoredPrediction, StoredPrediction.id == WorkItem.prediction_id)
        .where(WorkItem.reason.is_not(None))
    )
    grouped = _filtered(session, query, filters).group_by(Model.name, Model.version, WorkItem.state, WorkItem.reason)
    rows = session.execute(grouped.order_by(Model.name, Model.version, WorkItem.state, WorkItem.reason))
    return [(f"{name}@{version}", state, str(reason), count) for name, version, state, reason, count in rows]


def _filtered(session: Session, query: Any, filters: Filters) -> Any:
    conditions: list[ColumnElement[bool]] = []
    if filters.run is None:
        conditions.append(WorkItem.current.is_(True))
    else:
        conditions += [WorkItem.run_id == filters.run, WorkItem.state != ItemState.PENDING]
    equal = {
        WorkItem.model_digest: filters.model_digest,
        WorkItem.state: filters.state,
        WorkItem.sha256: filters.sha256,
        StoredPrediction.label: filters.label,
        StoredPrediction.decision: filters.decision,
    }
    conditions += [_equals(column, value) for column, value in equal.items() if value is not None]
    of_header = {StoredHeader.study_uid: filters.study_uid, StoredHeader.series_uid: filters.series_uid}
    if wanted := [_equals(column, value) for column, value in of_header.items() if value is not None]:
        conditions.append(WorkItem.header_id.in_(select(StoredHeader.id).where(*wanted)))
    if filters.min_probability is not None:
        conditions.append(StoredPrediction.probability >= filters.min_probability)
    if filters.since is not None:
        conditions.append(WorkItem.settled_at >= filters.since)
    if filters.until is not None:
        conditions.append(WorkItem.settled_at < filters.until)
    if filters.path is not None:
        conditions.append(beginning_with(session, filters.path))
    return query.where(*conditions)


def _equals(column: Any, text: str) -> ColumnElement[bool]:
    """Return the condition that `column` is `text`; one that is not UTF-8, or holds a NUL, equals nothing stored."""
    can_be_stored = "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)
    return column == text if can_be_stored else false()


def beginning_with(session: Session, prefix: bytes) -> ColumnElement[bool]:
    """Return the condition that an image's path begins with `prefix`, as ranges of bytes.

    SQLite answers them from an index. PostgreSQL looks at every path, since an index that held them whole would
    take no long ones: 0.09 s a million, measured, which is not worth a second index that every new image writes to.
    """
    if not prefix.startswith(b"/"):
        return _begins(prefix)
    choices = []
    for root_id, root in session.execute(select(Root.id, Root.path)):
        inside = root.rstrip(b"/") + b"/"
        if inside.startswith(prefix):
            choices.append(Image.root_id == root_id)
        elif prefix.startswith(inside):
            choices.append(and_(Image.root_id == root_id, _begins(prefix[len(inside) :])))
    return or_(false(), *choices)


def _begins(prefix: bytes) -> ColumnElement[bool]:
    after = prefix.rstrip(b"\xff")
    if not after:
        return Image.path >= prefix
    return and_(Image.path >= prefix, Image.path < after[:-1] + bytes([after[-1] + 1]))


def _row(
    item: WorkItem, path: bytes, model: Model, prediction: StoredPrediction | None, header: StoredHeader | None
) -> ResultRow:
    settled: dict[str, Any] = {
        "path": path,
        "sha256": item.sha256,
        "state": item.state,
        "reason": item.reason,
        "detail": item.detail,
        "model": f"{model.name}@{model.version}",
        "model_digest": item.model_digest,
        "run": item.run_id,
        "settled_at": item.settled_at,
        "attempts": item.attempts,
        "worker": item.worker,
    }
    if header is not None:
        settled |= {name: getattr(header, name) for name in _OF_HEADER}
    if prediction is None:
        return ResultRow(**settled)
    return ResultRow(
        **settled,
        label=prediction.label,
        probability=prediction.probability,
        probabilities=dict(zip(model.labels, prediction.probabilities, strict=True)),
        decision=prediction.decision,
        decision_digest=prediction.decision_digest,
        logits=prediction.logits,
        engine=prediction.engine,
        read_at=prediction.read_at,
    )
