"""Asking the results: rows stream from the database, in an order that an index holds."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func, select, text
from sqlalchemy.orm import Session

from schemas.states import ItemState
from schemas.tables import Image, Model, Root, StoredHeader, StoredPrediction, WorkItem
from wetread.store.results.filters import Filters, beginning_with
from wetread.store.results.order import Key, Position, Sort, beyond, ordering, sort_keys
from wetread.store.results.plan import joined, plan

__all__ = ["Filters", "Position", "ResultRow", "Sort", "beginning_with", "find_results", "found_queries", "position_of"]

ROWS_AT_ONCE = 2000
"""Rows that are in memory while many stream."""

FOR_A_PAGE = "SELECT " + ", ".join(
    f"set_config('enable_{way}', 'off', true)" for way in ("seqscan", "hashjoin", "mergejoin")
)
"""PostgreSQL has to come to the first rows soon, from indexes: it thinks of whole tables where it guesses wrong."""


class ResultRow(NamedTuple):
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
    image_id: int
    prediction_id: int | None = None
    label: str | None = None
    probability: float | None = None
    probabilities: dict[str, float] | None = None
    decision: str | None = None
    decision_digest: str | None = None
    engine: str | None = None
    read_at: datetime | None = None
    gate_score: float | None = None
    study_uid: str | None = None
    series_uid: str | None = None
    instance_uid: str | None = None
    view: str | None = None
    modality: str | None = None
    acquired_on: date | None = None
    pixel_spacing: list[float] | None = None
    patient_hash: str | None = None
    display_note: str | None = None

    @property
    def position(self) -> Position:
        """Return where the next page begins when this row ends one."""
        return Position(
            self.image_id, self.model_digest, self.state, self.reason, self.settled_at, self.prediction_id,
            self.probability,
        )  # fmt: skip


_COLUMNS = {
    Image: ("root_id", "path"),
    WorkItem: (
        "sha256", "state", "reason", "detail", "model_digest", "run_id", "settled_at", "attempts", "worker", "image_id",
    ),
    StoredPrediction: (
        "id", "label", "probability", "probabilities", "decision", "decision_digest", "engine", "read_at", "gate_score",
    ),
    StoredHeader: (
        "study_uid", "series_uid", "instance_uid", "view", "modality", "acquired_on", "pixel_spacing", "patient_hash",
        "display_note",
    ),
}  # fmt: skip


def find_results(
    session: Session,
    filters: Filters,
    *,
    limit: int | None = None,
    sort: Sort | None = None,
    after: Position | None = None,
) -> Iterator[ResultRow]:
    """Yield the rows that `filters` let through, in the order `sort`, by default the natural one of the filters.

    after: the position of the last row that was seen: what comes behind it. Raises UsageError when that is gone.
    """
    # Of the tables, not of the mapped classes: the mapper would handle each row of millions once more.
    columns = [table.__table__.c[name] for table, names in _COLUMNS.items() for name in names]
    roots = {root.id: root.path for root in session.scalars(select(Root))}
    models = {model.digest: model for model in session.scalars(select(Model))}
    names = {digest: f"{model.name}@{model.version}" for digest, model in models.items()}
    labels = {digest: model.labels for digest, model in models.items()}
    queries, left = found_queries(session, filters, sort, columns, after=after), limit
    if limit is not None and session.get_bind().dialect.name == "postgresql":
        session.execute(text(FOR_A_PAGE))
    for query in queries:
        if left is not None:
            query = query.limit(left)
        if left is None or left > ROWS_AT_ONCE:
            query = query.execution_options(yield_per=ROWS_AT_ONCE)
        for root, path, *item in session.execute(query):
            sha256, state, reason, detail, digest, run, settled_at, attempts, worker, image, number, *rest = item
            label, probability, shares, *others = rest
            if shares is not None:
                shares = dict(zip(labels[digest], shares, strict=True))
            yield ResultRow(
                os.path.join(roots[root], path), sha256, state, reason, detail, names[digest], digest, run, settled_at,
                attempts, worker, image, number, label, probability, shares, *others,
            )  # fmt: skip
            if left is not None:
                left -= 1
        if left == 0:
            return


def position_of(session: Session, run: int, image: int) -> Position | None:
    """Return where the listed row of this image in this run stands; None when it is not there, or not settled."""
    query = (
        select(WorkItem, StoredPrediction.id, StoredPrediction.probability)
        .outerjoin(StoredPrediction, StoredPrediction.id == WorkItem.prediction_id)
        .where(WorkItem.run_id == run, WorkItem.image_id == image, WorkItem.state != ItemState.PENDING)
    )
    row = session.execute(query).first()
    if row is None:
        return None
    item, number, probability = row
    return Position(image, item.model_digest, item.state, item.reason, item.settled_at, number, probability)


def found_queries(
    session: Session,
    filters: Filters,
    sort: Sort | None,
    columns: Sequence[ColumnElement[Any]],
    *,
    after: Position | None = None,
) -> list[Select[Any]]:
    """Return the queries whose rows, one after another, are the results as in `find_results`.

    columns: of images, work_items, predictions and film_headers, which are joined.
    """
    made = plan(session, filters, sort)
    keys = sort_keys(session, made.sort, filters)
    behind = [] if after is None else beyond(session, keys, made.sort, after)
    if made.sorts and session.get_bind().dialect.name == "postgresql":
        # In words of no index: PostgreSQL would walk one in order, hoping to meet the few soon.
        keys = [Key(key.name, func.coalesce(key.column, key.column)) for key in keys]
    return [
        select(*columns)
        .select_from(joined(part, filters, made.sort))
        .where(*part.where, *behind)
        .order_by(*ordering(keys, made.sort))
        for part in made.parts
    ]
