"""Finds the films of a run that a person should look at first."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, exists, func, select
from sqlalchemy.orm import Session, aliased

from schemas.predictions import UNCERTAIN
from schemas.states import ItemState
from schemas.tables import Image, Root, StoredPrediction, WorkItem


@dataclass(frozen=True, slots=True)
class FilmToLookAt:
    """A film and what the model says of it. path: absolute, as bytes. files: in the run with the same bytes."""

    path: bytes
    sha256: str
    label: str
    probability: float
    decision: str
    files: int


def most_probable(session: Session, run_id: int, labels: Sequence[str], *, limit: int) -> list[FilmToLookAt]:
    """Return films of which the decision says one of `labels`, the most probable first."""
    order = -StoredPrediction.probability
    return _films(session, run_id, labels, StoredPrediction.decision != UNCERTAIN, order, limit)


def nearest_to_threshold(
    session: Session, run_id: int, labels: Sequence[str], thresholds: Mapping[str, float], *, limit: int
) -> list[FilmToLookAt]:
    """Return uncertain films whose most probable label is one of `labels`, nearest to the threshold first."""
    least = [(StoredPrediction.label == label, thresholds.get(label, 0.0)) for label in labels]
    if not least:
        return []
    order = case(*least, else_=1.0) - StoredPrediction.probability
    return _films(session, run_id, labels, StoredPrediction.decision == UNCERTAIN, order, limit)


def _films(
    session: Session,
    run_id: int,
    labels: Sequence[str],
    decided: ColumnElement[bool],
    order: ColumnElement[float],
    limit: int,
) -> list[FilmToLookAt]:
    """Return the first films in `order`; files with the same bytes are one film, under the name found first.

    The database keeps no more than the best so many while it looks through the run.
    """
    twin = aliased(WorkItem)
    is_twin = exists().where(
        twin.prediction_id == WorkItem.prediction_id, twin.run_id == run_id, twin.image_id < WorkItem.image_id
    )
    best = (
        select(WorkItem.image_id, WorkItem.prediction_id)
        .join(StoredPrediction, StoredPrediction.id == WorkItem.prediction_id)
        .where(
            WorkItem.run_id == run_id, WorkItem.state == ItemState.DONE, StoredPrediction.label.in_(labels), decided,
            ~is_twin,
        )
        .order_by(order, WorkItem.image_id)
        .limit(limit)
    )  # fmt: skip
    chosen = [(image, prediction) for image, prediction in session.execute(best)]
    many = (
        select(WorkItem.prediction_id, func.count())
        .where(WorkItem.run_id == run_id, WorkItem.prediction_id.in_([prediction for _, prediction in chosen]))
        .group_by(WorkItem.prediction_id)
    )
    files = {prediction: count for prediction, count in session.execute(many)}  # noqa: C416 - rows, which have a type
    named = (
        select(WorkItem.image_id, WorkItem.sha256, Root.path, Image.path, StoredPrediction)
        .join(Image, Image.id == WorkItem.image_id)
        .join(Root, Root.id == Image.root_id)
        .join(StoredPrediction, StoredPrediction.id == WorkItem.prediction_id)
        .where(WorkItem.run_id == run_id, WorkItem.image_id.in_([image for image, _ in chosen]))
    )
    found = {
        image: FilmToLookAt(
            os.path.join(root, path), sha256 or of.sha256, of.label, of.probability, of.decision, files[of.id]
        )
        for image, sha256, root, path, of in session.execute(named)
    }
    return [found[image] for image, _ in chosen if image in found]
