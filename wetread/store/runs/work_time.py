"""Computes how long a run worked, from its images' ends, without the pauses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from sqlalchemy import String, func, select
from sqlalchemy.orm import Session

from schemas.states import ItemState, RunState
from schemas.tables import WorkItem
from wetread.store.runs.accounts import RunAccount

PAUSE = timedelta(minutes=5)
"""When nothing was settled for longer, nobody was at work: a batch takes that long on no machine that gets anywhere."""


@dataclass(frozen=True, slots=True)
class WorkTime:
    """seconds: at work. paused: of pauses; the two together are the time from the run's making to its end."""

    seconds: float
    paused: float


def work_time(session: Session, account: RunAccount, now: datetime) -> WorkTime:
    """Return how long a run was at work, from its making to its end, or to `now` when it runs still.

    Of a run that stands, to the image that was settled last. The walk before the first image and after the last one
    is work. A pause is known to ten seconds.
    """
    of_run = (WorkItem.run_id == account.id, WorkItem.state != ItemState.CANCELLED)
    last: datetime | None = session.scalar(select(func.max(WorkItem.settled_at)).where(*of_run))
    end = account.ended_at or (now if account.state == RunState.RUNNING else last or account.created_at)
    gaps = [after - before for before, after in pairwise(_tens_of_seconds(session, account.id))]
    paused = sum((gap for gap in gaps if gap > PAUSE), timedelta())
    return WorkTime(max((end - account.created_at - paused).total_seconds(), 0.0), paused.total_seconds())


def _tens_of_seconds(session: Session, run_id: int) -> list[datetime]:
    """Return, in order, when images were settled, each ten seconds once: a row for ten seconds, and not for an image.

    Without ORDER BY: for its sake SQLite would sort all images, in memory, before it drops those alike.
    """
    if session.get_bind().dialect.name == "sqlite":
        moment = func.substr(WorkItem.settled_at, 1, 18, type_=String)
    else:
        moment = func.to_char(func.timezone("UTC", WorkItem.settled_at), "YYYY-MM-DD HH24:MI:SS", type_=String)
        moment = func.left(moment, 18, type_=String)
    query = select(moment).distinct().where(WorkItem.run_id == run_id, WorkItem.settled_at.is_not(None))
    texts = session.scalars(query.where(WorkItem.state != ItemState.CANCELLED))
    return [datetime.fromisoformat(f"{text}0").replace(tzinfo=UTC) for text in sorted(texts)]
