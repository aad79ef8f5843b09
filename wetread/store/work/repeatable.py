"""Whether what a worker told the database was heard, where the answer was lost."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.states import ItemState
from schemas.tables import Batch, WorkItem
from wetread.store.work.leases import Claim


def was_settled(session: Session, held: Claim, image_ids: Sequence[int]) -> bool:
    """Return whether a transaction of ours has settled these images of a batch: what it settled it did at once.

    It may still be going on, in a connection that was cut: its end is waited for by way of the batch's lock.
    """
    session.execute(select(Batch.id).where(Batch.id == held.batch_id).with_for_update())
    query = select(WorkItem.image_id).where(
        WorkItem.run_id == held.run_id, WorkItem.image_id.in_(image_ids),
        WorkItem.state != ItemState.PENDING, WorkItem.worker == held.owner,
    )  # fmt: skip
    return session.scalar(query.limit(1)) is not None
