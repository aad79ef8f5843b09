"""What a worker may tell the database twice, where its first word may have been heard and the answer was lost."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from schemas.states import ItemState
from schemas.tables import Batch, WorkItem
from wetread.store.doubts import Doubt, read_doubts, with_doubt
from wetread.store.leases import Claim, hold


def count_attempt(session: Session, held: Claim, image_id: int) -> None:
    """Count one attempt of an image, just before it alone is touched: once, however often it is said of a claim."""
    hold(session, held)
    stored = session.scalar(select(Batch.doubts).where(Batch.id == held.batch_id))
    said = Doubt(held.owner, held.fence, image_id)
    if any((one.owner, one.fence, one.image_id) == (said.owner, said.fence, image_id) for one in read_doubts(stored)):
        return
    session.execute(
        update(Batch)
        .where(Batch.id == held.batch_id)
        .values(doubts=with_doubt(stored, said))
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(WorkItem)
        .where(WorkItem.run_id == held.run_id, WorkItem.image_id == image_id, WorkItem.state == ItemState.PENDING)
        .values(attempts=WorkItem.attempts + 1)
    )


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
