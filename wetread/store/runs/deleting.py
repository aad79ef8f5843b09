"""Deletes a run with its items and accounts, and readings and headers that no other run names."""

from __future__ import annotations

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from schemas.errors import UsageError
from schemas.states import ItemState, RunKind, RunState
from schemas.tables import Batch, Run, RunStage, RunTally, StoredPrediction, WorkItem
from wetread.store.core.locks import lock_batches, lock_readings
from wetread.store.images.headers import delete_unnamed_headers
from wetread.store.runs.numbers import note_deleted_run


def delete_run(session: Session, run_id: int) -> int:
    """Delete a run that is not running; return how many readings went with it.

    Images whose current reading came from this run fall back to the reading of the run before it. Meanwhile no
    image is settled by the run's model: a worker waits, then goes on, or finds that its batch is gone.
    Locks in the order `DELETING` of wetread.store.core.locks.
    Raises UsageError when there is no such run, or when it is still going.
    """
    model = session.scalar(select(Run.model_digest).where(Run.id == run_id))
    if model is not None:
        lock_readings(session, model, alone=True)
    # Those of a run that is still going are not waited for: it is refused below.
    ended = select(Run.id).where(Run.id == run_id, Run.state != RunState.RUNNING)
    lock_batches(session, select(Batch.id).where(Batch.run_id.in_(ended)))
    state = session.scalar(select(Run.state).where(Run.id == run_id).with_for_update())
    if state is None:
        raise UsageError(f"expected a run, found no run {run_id}; see `wetread runs list`")
    if state == RunState.RUNNING:
        raise UsageError(f"run {run_id} is running: cancel it first, with `wetread runs cancel {run_id}`")
    mine = aliased(WorkItem)
    reverting = select(mine.image_id).where(mine.run_id == run_id, mine.current)
    earlier = (
        select(func.max(WorkItem.run_id).label("run_id"), WorkItem.image_id.label("image_id"))
        .where(
            WorkItem.image_id.in_(reverting),
            WorkItem.model_digest == model,
            WorkItem.run_id != run_id,
            WorkItem.state.in_([ItemState.DONE, ItemState.REJECTED, ItemState.DEAD]),
        )
        .group_by(WorkItem.image_id)
    )
    heirs = [(row.run_id, row.image_id) for row in session.execute(earlier)]
    session.execute(delete(WorkItem).where(WorkItem.run_id == run_id))
    for heir_run, image in heirs:
        session.execute(
            update(WorkItem).where(WorkItem.run_id == heir_run, WorkItem.image_id == image).values(current=True)
        )
    named = exists().where(WorkItem.prediction_id == StoredPrediction.id)
    gone = session.execute(
        delete(StoredPrediction).where(StoredPrediction.run_id == run_id, ~named).returning(StoredPrediction.id)
    ).all()
    delete_unnamed_headers(session)
    session.execute(delete(Batch).where(Batch.run_id == run_id))
    session.execute(delete(RunTally).where(RunTally.run_id == run_id))
    session.execute(delete(RunStage).where(RunStage.run_id == run_id))
    # What shadowed it stands by itself from now on.
    session.execute(update(Run).where(Run.shadow_of == run_id).values(shadow_of=None, kind=RunKind.SCREEN))
    note_deleted_run(session, run_id)
    session.execute(delete(Run).where(Run.id == run_id))
    return len(gone)
