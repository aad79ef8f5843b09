"""Finds batches that the broker should be rung for, and batches that still wait for a worker."""

from __future__ import annotations

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session, aliased

from schemas.states import RunState
from schemas.tables import Batch, Run
from wetread.store.core.database_clock import database_seconds
from wetread.store.core.sent_together import PLAIN
from wetread.store.work.leases import is_free, rides

_RUNNING = select(Run.id).where(Run.state == RunState.RUNNING)


def batches_to_ring(session: Session, *, high_water: int, patience: float, limit: int = 256) -> list[int]:
    """Return waiting batches to ring the broker for, oldest first.

    high_water: at most so many batches are rung for and not settled.
    patience: seconds after which a ring that no worker has answered counts as lost.
    """
    waiting = (Batch.run_id.in_(_RUNNING), Batch.pending > 0)
    lost = Batch.rung_at < database_seconds() - patience
    outstanding = session.scalar(
        select(func.count()).select_from(Batch).where(*waiting, Batch.rung_at.is_not(None), or_(~is_free(), ~lost))
    )
    room = min(limit, high_water - (outstanding or 0))
    if room <= 0:
        return []
    # Shadows last: what only they have to read keeps no other run waiting.
    for_shadows = Batch.run_id.in_(select(Run.id).where(Run.shadow_of.is_not(None)))
    due = select(Batch.id).where(*waiting, is_free(), ~rides(), or_(Batch.rung_at.is_(None), lost)).order_by(Batch.id)
    first = list(session.scalars(due.where(~for_shadows).limit(room)))
    room -= len(first)
    return first + list(session.scalars(due.where(for_shadows).limit(room))) if room else first


def rung_batches(session: Session, limit: int, *, beside: int | None = None) -> list[int]:
    """Return batches for which the broker was rung and that wait, the oldest first, of all runs that are running.

    beside: a batch, to whose run they are to belong.
    """
    waiting = (Batch.rung_at.is_not(None), Batch.pending > 0, is_free(), ~rides(), Batch.run_id.in_(_RUNNING))
    query = select(Batch.id).where(*waiting).order_by(Batch.id).limit(limit)
    if beside is not None:
        other = aliased(Batch)
        run = select(other.run_id).where(other.id == beside).scalar_subquery()
        query = query.where(Batch.run_id == run, Batch.id != beside)
    return list(session.scalars(query, execution_options=PLAIN))


def mark_rung(session: Session, batch_ids: list[int]) -> None:
    """Remember that the broker was rung for these batches."""
    session.execute(
        update(Batch)
        .where(Batch.id.in_(batch_ids))
        .values(rung_at=database_seconds())
        .execution_options(synchronize_session=False)
    )
