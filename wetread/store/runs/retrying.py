"""Retries rejected or dead images: they become pending again, in batches of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from schemas.states import ItemState, RunState
from schemas.tables import Batch, Run, RunTally, WorkItem
from wetread.store.results.filters import is_failed


def retry_failed(
    session: Session, run_id: int, reasons: Sequence[str], *, batch_size: int, images: Sequence[int] | None = None
) -> int:
    """Make a run's rejected and dead images pending again, by reason (all when none is named).

    images: only these. Returns how many. The run goes on in state running; its attempts count from nothing.
    """
    run = session.execute(select(Run).where(Run.id == run_id).with_for_update()).scalar_one()
    failed = [WorkItem.run_id == run_id, is_failed()]
    if reasons:
        failed.append(WorkItem.reason.in_(reasons))
    if images is not None:
        failed.append(WorkItem.image_id.in_(images))
    rows = session.execute(select(WorkItem.image_id, WorkItem.state, WorkItem.reason).where(*failed)).all()
    for start in range(0, len(rows), batch_size):
        images = [row.image_id for row in rows[start : start + batch_size]]
        batch = Batch(run_id=run_id, pending=len(images), fence=0, kills=0)
        session.add(batch)
        session.flush()
        session.execute(
            update(WorkItem)
            .where(WorkItem.run_id == run_id, WorkItem.image_id.in_(images))
            .values(
                state=ItemState.PENDING,
                reason=None,
                detail=None,
                word=None,
                attempts=0,
                batch_id=batch.id,
                current=False,
                program=None,
                sha256=None,
                size=None,
                mtime_ns=None,
            )
            .execution_options(synchronize_session=False)
        )
    for (state, reason), count in Counter((row.state, row.reason) for row in rows).items():
        session.execute(
            update(RunTally)
            .where(RunTally.run_id == run_id, RunTally.kind == state, RunTally.name == reason)
            .values(count=RunTally.count - count)
        )
    dead = sum(1 for row in rows if row.state == ItemState.DEAD)
    if rows:
        run.pending += len(rows)
        run.dead -= dead
        run.rejected -= len(rows) - dead
        run.state = RunState.RUNNING
        run.ended_at = None
    return len(rows)
