"""Compares two models over the images that both have read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from schemas.tables import Image, Root, StoredPrediction, WorkItem
from wetread.store.results.filters import beginning_with


class ChangedFilm(NamedTuple):
    """An image of which the two models say different things; label, probability and decision of each."""

    path: bytes
    first: tuple[Any, ...]
    second: tuple[Any, ...]


_A, _B = aliased(WorkItem, name="a"), aliased(WorkItem, name="b")
_READ_A, _READ_B = aliased(StoredPrediction, name="read_a"), aliased(StoredPrediction, name="read_b")


def agreement_table(
    session: Session, first: str, second: str, *, of: str, path: bytes | None
) -> dict[tuple[str, str], int]:
    """Return {(what the first says, what the second says): images} of the images that both have read.

    first, second: digests of models. of: "label" or "decision". Every such image is read.
    """
    one, other = getattr(_READ_A, of), getattr(_READ_B, of)
    query = _pairs(session, select(one, other, func.count()), first, second, path).group_by(one, other)
    return {(a, b): count for a, b, count in session.execute(query.order_by(one, other))}


def images_read(session: Session, model_digest: str, path: bytes | None) -> int:
    """Return how many images the model has read."""
    query = select(func.count()).select_from(WorkItem)
    if path is not None:
        query = query.join(Image, Image.id == WorkItem.image_id).where(beginning_with(session, path))
    read = query.where(WorkItem.current, WorkItem.model_digest == model_digest, WorkItem.prediction_id.is_not(None))
    return session.scalar(read) or 0


def changed_films(
    session: Session, first: str, second: str, *, of: str, path: bytes | None, limit: int | None
) -> Iterator[ChangedFilm]:
    """Yield the images of which the two say different things, in the order found."""
    columns = [getattr(read, name) for read in (_READ_A, _READ_B) for name in ("label", "probability", "decision")]
    query = _pairs(session, select(Root.path, Image.path, *columns), first, second, path, images=True)
    query = query.where(getattr(_READ_A, of) != getattr(_READ_B, of)).order_by(_A.image_id).limit(limit)
    for root, name, *said in session.execute(query.execution_options(yield_per=1000)):
        label, probability, decision, *second_said = said
        yield ChangedFilm(os.path.join(root, name), (label, probability, decision), tuple(second_said))


def _pairs(session: Session, query: Any, first: str, second: str, path: bytes | None, *, images: bool = False) -> Any:
    query = (
        query.select_from(_A)
        .join(_B, and_(_B.image_id == _A.image_id, _B.model_digest == second, _B.current))
        .join(_READ_A, _READ_A.id == _A.prediction_id)
        .join(_READ_B, _READ_B.id == _B.prediction_id)
        .where(_A.model_digest == first, _A.current)
    )
    if images or path is not None:
        query = query.join(Image, Image.id == _A.image_id).join(Root, Root.id == Image.root_id)
    return query if path is None else query.where(beginning_with(session, path))
