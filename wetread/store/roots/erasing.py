"""Erases films: images with their items, readings and headers; every run's accounts stay true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, delete, exists, func, select, update
from sqlalchemy.orm import Session

from schemas.predictions import UNCERTAIN
from schemas.states import ItemState, RunState
from schemas.tables import Batch, Image, Run, RunTally, SamePicture, StoredHeader, StoredPrediction, WorkItem
from wetread.store.core.locks import lock_batches, lock_readings
from wetread.store.images.headers import delete_unnamed_headers, lock_headers
from wetread.store.results.filters import beginning_with
from wetread.store.roots.erasing_received import delete_received_films, lock_received_films
from wetread.store.runs.lifecycle import finish_if_settled
from wetread.store.work.tallies import add_tallies

ERASED_AT_ONCE = 500
"""Images that one transaction deletes: few enough that workers hardly wait for it."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was deleted: images, their items in all runs, and readings that no other image names."""

    images: int = 0
    items: int = 0
    readings: int = 0

    def __add__(self, other: Erased) -> Erased:
        """Return both together."""
        return Erased(self.images + other.images, self.items + other.items, self.readings + other.readings)


def find_images(
    session: Session,
    *,
    path: bytes | None = None,
    sha256: str | None = None,
    study_uid: str | None = None,
    patient_hash: str | None = None,
) -> list[int]:
    """Return the ids of the images to delete, for which all that is given holds.

    path: what their path begins with. The others: what any run has found in their file.
    """
    query = select(Image.id).order_by(Image.id)
    headers = {StoredHeader.study_uid: study_uid, StoredHeader.patient_hash: patient_hash}
    for column, value in headers.items():
        if value is not None:
            film = select(WorkItem.image_id).join(StoredHeader, StoredHeader.id == WorkItem.header_id)
            query = query.where(Image.id.in_(film.where(column == value)))
    if path is not None:
        query = query.where(beginning_with(session, path))
    if sha256 is not None:
        query = query.where(exists().where(WorkItem.image_id == Image.id, WorkItem.sha256 == sha256))
    return list(session.scalars(query))


def erase_images(session: Session, image_ids: Sequence[int], *, received: bool = True) -> Erased:
    """Delete images, at most ERASED_AT_ONCE, with all that was ever read of them; return how much that was.

    received: the rows that say how they came over the network go, too; not where another image stands for the film.

    Runs lose them from their accounts. A worker that holds one in its batch loses the batch, which is read again
    without it. A run that finds the file again reads it again: what is to stay away has to leave the archive first.
    Locks in the order `ERASING` of wetread.store.core.locks.
    """
    mine = WorkItem.image_id.in_(image_ids)
    films = lock_received_films(session, image_ids if received else [])
    for model in session.scalars(select(WorkItem.model_digest).where(mine).distinct().order_by(WorkItem.model_digest)):
        lock_readings(session, model, alone=True)
    lock_batches(session, select(WorkItem.batch_id).where(mine, WorkItem.state == ItemState.PENDING))
    lock_headers(session, select(WorkItem.header_id).where(mine))
    # A walk that records these files again shares its run's row; it waits, and then finds them gone.
    held = select(WorkItem.run_id).where(mine)
    runs = Run.id.in_(held) | (Run.state == RunState.RUNNING)
    session.execute(select(Run.id).where(runs).order_by(Run.id).with_for_update()).all()
    items = session.execute(
        select(
            WorkItem.run_id,
            WorkItem.batch_id,
            WorkItem.state,
            WorkItem.reason,
            WorkItem.prediction_id,
            WorkItem.header_id,
            StoredPrediction.label,
            StoredPrediction.decision,
            (StoredPrediction.run_id > WorkItem.run_id).label("replaced"),
        )
        .outerjoin(StoredPrediction, StoredPrediction.id == WorkItem.prediction_id)
        .where(mine)
    ).all()
    _take_from_batches(session, Counter(item.batch_id for item in items if item.state == ItemState.PENDING))
    session.execute(delete(WorkItem).where(mine))
    _take_from_accounts(session, Counter((item.run_id, item.state) for item in items))
    for run in sorted({item.run_id for item in items}):
        lost = Counter(entry for item in items if item.run_id == run for entry in _tallied(item))
        add_tallies(session, run, {entry: -count for entry, count in lost.items()})
    for run in sorted({item.run_id for item in items if item.replaced}):
        _count_labels_anew(session, run)
    readings = _drop_unnamed(session, {item.prediction_id for item in items if item.prediction_id is not None})
    delete_unnamed_headers(session, {item.header_id for item in items if item.header_id is not None})
    images = session.execute(delete(Image).where(Image.id.in_(image_ids)).returning(Image.id)).all()
    delete_received_films(session, films)
    return Erased(len(images), len(items), readings)


def _take_from_batches(session: Session, pending: Counter[int]) -> None:
    """Remove erased images from their batches, and take these batches from the workers that hold them."""
    locked = select(Batch.id).where(Batch.id.in_(pending)).order_by(Batch.id).with_for_update()
    for batch in session.scalars(locked).all():
        taken = Batch.pending - pending[batch]
        session.execute(
            update(Batch)
            .where(Batch.id == batch)
            .values(pending=taken, owner=None, lease_until=None, rung_at=None, fence=Batch.fence + 1)
            .execution_options(synchronize_session=False)
        )


def _take_from_accounts(session: Session, states: Counter[tuple[int, str]]) -> None:
    for run in sorted({run for run, _ in states}):
        of_run = {state: count for (its, state), count in states.items() if its == run}
        values = {state: getattr(Run, state) - count for state, count in of_run.items()}
        session.execute(
            update(Run)
            .where(Run.id == run)
            .values(found=Run.found - sum(of_run.values()), **values)
            .execution_options(synchronize_session=False)
        )
        finish_if_settled(session, run)


def _tallied(item: Any) -> list[tuple[str, str]]:
    """Return (kind, name) of each counter that an item with this state, reason, label and decision is counted in."""
    if item.label is not None:
        return [("label", item.label), *([("uncertain", item.label)] if item.decision == UNCERTAIN else [])]
    return [] if item.reason is None or item.state == ItemState.PENDING else [(item.state, item.reason)]


def _count_labels_anew(session: Session, run: int) -> None:
    """Count a run's labels as its readings are now: a later run has replaced some, and what they were is not kept."""
    uncertain = func.sum(case((StoredPrediction.decision == UNCERTAIN, 1), else_=0))
    query = (
        select(StoredPrediction.label, func.count(), uncertain)
        .join(WorkItem, WorkItem.prediction_id == StoredPrediction.id)
        .where(WorkItem.run_id == run)
        .group_by(StoredPrediction.label)
    )
    counted = session.execute(query).all()
    session.execute(delete(RunTally).where(RunTally.run_id == run, RunTally.kind.in_(["label", "uncertain"])))
    tally = {("label", label): images for label, images, _ in counted}
    add_tallies(session, run, tally | {("uncertain", label): int(unsure) for label, _, unsure in counted})


def _drop_unnamed(session: Session, predictions: set[int]) -> int:
    """Delete those of the readings that no item names any more; a copy of the film elsewhere still names its own.

    One that files of other bytes name, which show the same, is theirs from now on: nothing of the erased is kept.
    """
    named = exists().where(WorkItem.prediction_id == StoredPrediction.id)
    gone = delete(StoredPrediction).where(StoredPrediction.id.in_(predictions), ~named).returning(StoredPrediction.id)
    deleted = len(session.execute(gone).all())
    unnamed = ~exists().where(
        WorkItem.prediction_id == SamePicture.prediction_id, WorkItem.sha256 == SamePicture.sha256
    )
    session.execute(
        delete(SamePicture)
        .where(SamePicture.prediction_id.in_(predictions), unnamed)
        .execution_options(synchronize_session=False)
    )
    of_its_bytes = exists().where(
        WorkItem.prediction_id == StoredPrediction.id, WorkItem.sha256 == StoredPrediction.sha256
    )
    left = (
        select(StoredPrediction.id, func.min(SamePicture.sha256))
        .join(SamePicture, SamePicture.prediction_id == StoredPrediction.id)
        .where(StoredPrediction.id.in_(predictions), ~of_its_bytes)
        .group_by(StoredPrediction.id)
    )
    for reading, heir in session.execute(left).all():
        session.execute(delete(SamePicture).where(SamePicture.prediction_id == reading, SamePicture.sha256 == heir))
        session.execute(update(StoredPrediction).where(StoredPrediction.id == reading).values(sha256=heir))
    return deleted
