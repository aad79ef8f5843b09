"""Everything that is known of one image: its path, its item in each run, each model's reading."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from schemas.tables import (
    Image,
    Model,
    Root,
    Run,
    SamePicture,
    StoredDecision,
    StoredHeader,
    StoredPrediction,
    WorkItem,
)
from wetread.store.images.places import places_beginning_with
from wetread.store.results.filters import holding, is_failed
from wetread.store.work.stages import stage_seconds_a_film


@dataclass(frozen=True, slots=True)
class RunItem:
    """One run's item of an image. reading: what it names now, which a later --force may have replaced.

    together: images that were settled with it, in one batch, itself included. stages: what the mean film took in the
    run that read it, {stage: seconds}; no film is timed by itself.
    """

    run: int
    run_created_at: datetime
    item: WorkItem
    model: Model
    reading: StoredPrediction | None
    decision: StoredDecision | None
    header: StoredHeader | None
    together: int
    stages: dict[str, float]


@dataclass(frozen=True, slots=True)
class KnownImage:
    """An image. paths: everywhere that its bytes, as last read, are known, its own path first. items: oldest first.

    shown_at: where other bytes lie that show the same.
    """

    path: bytes
    size: int
    mtime_ns: int
    paths: list[bytes]
    items: list[RunItem]
    shown_at: list[bytes]


def find_image(session: Session, *, path: bytes | None = None, sha256: str | None = None) -> list[KnownImage]:
    """Return the images at an absolute path, or whose file held these bytes when it was read, by id."""
    ids = _at(session, path) if path is not None else _holding(session, sha256 or "")
    return [_known(session, image) for image in ids]


def hashes_beginning(session: Session, digits: str, *, limit: int) -> list[str]:
    """Return, in order, at most `limit` of the SHA-256s of files that were read and begin with these digits."""
    last = digits + "g"  # behind every digit
    found: set[str] = set()
    for column, where in ((StoredPrediction.sha256, []), (SamePicture.sha256, []), (WorkItem.sha256, [is_failed()])):
        query = select(column).where(column >= digits, column < last, *where).distinct().order_by(column)
        found.update(sha256 for sha256 in session.scalars(query.limit(limit)) if sha256 is not None)
    return sorted(found)[:limit]


def _at(session: Session, path: bytes) -> list[int]:
    found: set[int] = set()
    for home, name in places_beginning_with(session, path):
        same = or_(Image.path_hash == hashlib.sha256(name).digest(), Image.path_hash.is_(None))
        found.update(session.scalars(select(Image.id).where(Image.root_id == home, same, Image.path == name)))
    return sorted(found)


def _holding(session: Session, sha256: str) -> list[int]:
    return sorted(set(session.scalars(select(WorkItem.image_id).where(holding(sha256)))))


def _known(session: Session, image_id: int) -> KnownImage:
    row = session.execute(select(Image, Root.path).join(Root, Root.id == Image.root_id).where(Image.id == image_id))
    image, root = row.one()
    items = _items(session, image_id)
    own = os.path.join(root, image.path)
    copies = [own, *_copies(session, image_id, items)]
    return KnownImage(own, image.size, image.mtime_ns, copies, items, _twins(session, items))


def _items(session: Session, image_id: int) -> list[RunItem]:
    # By run too: that is how the index of items begins.
    query: Any = (
        select(Run, WorkItem, Model, StoredPrediction, StoredDecision, StoredHeader)
        .join(WorkItem, WorkItem.run_id == Run.id)
        .join(Model, Model.digest == WorkItem.model_digest)
        .outerjoin(StoredPrediction, StoredPrediction.id == WorkItem.prediction_id)
        .outerjoin(StoredDecision, StoredDecision.digest == StoredPrediction.decision_digest)
        .outerjoin(StoredHeader, StoredHeader.id == WorkItem.header_id)
        .where(WorkItem.image_id == image_id)
        .order_by(Run.id)
    )
    return [
        RunItem(
            run.id, run.created_at, item, model, reading, decision, header, _together(session, item),
            stage_seconds_a_film(session, run.id if reading is None else reading.run_id),
        )
        for run, item, model, reading, decision, header in session.execute(query)
    ]  # fmt: skip


def _together(session: Session, item: WorkItem) -> int:
    if item.settled_at is None:
        return 0
    same = (WorkItem.batch_id == item.batch_id, WorkItem.settled_at == item.settled_at)
    return session.scalar(select(func.count()).select_from(WorkItem).where(*same)) or 0


def _copies(session: Session, image_id: int, items: list[RunItem]) -> list[bytes]:
    sha256 = next((one.item.sha256 for one in reversed(items) if one.item.sha256), None)
    if sha256 is None:
        return []
    query = (
        select(Root.path, Image.path)
        .join(Image, Image.root_id == Root.id)
        .where(Image.id.in_(select(WorkItem.image_id).where(WorkItem.current, holding(sha256))), Image.id != image_id)
    )
    return sorted(os.path.join(root, path) for root, path in session.execute(query))


def _twins(session: Session, items: list[RunItem]) -> list[bytes]:
    """Return the paths of files with other bytes that the same current readings are of."""
    mine = {one.reading.id: one.item.sha256 for one in items if one.item.current and one.reading is not None}
    query = (
        select(Root.path, Image.path, WorkItem.prediction_id, WorkItem.sha256)
        .join(Image, Image.root_id == Root.id)
        .join(WorkItem, WorkItem.image_id == Image.id)
        .where(WorkItem.prediction_id.in_(sorted(mine)), WorkItem.current)
    )
    found = set()
    for root, path, reading, sha256 in session.execute(query):
        if mine.get(reading or 0) != sha256:
            found.add(os.path.join(root, path))
    return sorted(found)
