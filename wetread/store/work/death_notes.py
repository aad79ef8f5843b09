"""Counts on a run the workers that died before an image was touched; notes an OOM kill on an image tried alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import update
from sqlalchemy.orm import Session

from schemas.reasons import Reason
from schemas.states import ItemState
from schemas.tables import Run, WorkItem


def count_deaths(session: Session, run_ids: Sequence[int]) -> None:
    """Count on its run, for each that is named, a worker that died with a batch in hand; until one is touched again."""
    for run_id, deaths in sorted(Counter(run_ids).items()):
        session.execute(update(Run).where(Run.id == run_id).values(untouched=Run.untouched + deaths))


def touched(session: Session, run_id: int) -> None:
    """Reset the count: an image of the run is tried, or the run is paused."""
    session.execute(update(Run).where(Run.id == run_id, Run.untouched > 0).values(untouched=0))


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
