"""Counts tries of an image that is read alone, each before it begins; a worker that must end itself notes why."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from schemas.reasons import Reason
from schemas.states import ItemState
from schemas.tables import Batch, WorkItem
from wetread.store.work.death_notes import touched
from wetread.store.work.doubts import Doubt, read_doubts, with_doubt
from wetread.store.work.leases import Claim, hold


def count_attempt(session: Session, held: Claim, image_id: int, oom_kills: int | None = None) -> None:
    """Count one attempt of an image just before it is read alone; repeated calls for a claim count once.

    oom_kills: processes that the kernel of this machine has ended for lack of memory so far; None where it does not
    say. Whoever finds this process dead compares.
    """
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
    session.execute(_pending(held, image_id).values(attempts=WorkItem.attempts + 1, oom_kills=oom_kills))
    touched(session, held.run_id)


def note_file(session: Session, held: Claim, image_id: int, sha256: str, size: int, mtime_ns: int) -> None:
    """Remember of which bytes an image alone is decoded now: if its worker dies, it is these that are to blame."""
    hold(session, held)
    session.execute(_pending(held, image_id).values(sha256=sha256, size=size, mtime_ns=mtime_ns))


def _pending(held: Claim, image_id: int):  # type: ignore[no-untyped-def]  # SQLAlchemy's Update, refined by the caller
    return update(WorkItem).where(
        WorkItem.run_id == held.run_id, WorkItem.image_id == image_id, WorkItem.state == ItemState.PENDING
    )


def note_death(session: Session, held: Claim, image_id: int, reason: Reason, detail: str) -> None:
    """Remember on a pending image that its worker is about to end because of it, and why.

    Raises LeaseLost when the batch is another's by now: what this worker found says nothing any more.
    """
    hold(session, held)
    session.execute(_pending(held, image_id).values(reason=reason, detail=detail))
