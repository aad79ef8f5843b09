"""What a worker that died is known to have died of: noted on the image that it had tried alone."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import update
from sqlalchemy.orm import Session

from schemas.states import ItemState, Reason
from schemas.tables import WorkItem


def note_how_it_ended(session: Session, batch_ids: Sequence[int], oom_kills: int | None) -> None:
    """Note on the image that a dead worker had tried alone whether the kernel ended it for lack of memory."""
    tried = (WorkItem.batch_id.in_(batch_ids), WorkItem.oom_kills.is_not(None), WorkItem.state == ItemState.PENDING)
    if oom_kills is not None:
        killed = update(WorkItem).where(*tried, WorkItem.oom_kills < oom_kills, WorkItem.reason.is_(None))
        detail = "the system ended its worker process, since memory was short"
        session.execute(
            killed.values(reason=Reason.OUT_OF_MEMORY, detail=detail).execution_options(synchronize_session=False)
        )
    over = update(WorkItem).where(*tried).values(oom_kills=None)
    session.execute(over.execution_options(synchronize_session=False))
