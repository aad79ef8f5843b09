"""Finds films to read just before a suspect one, as a control of the machine: already read, or still waiting."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.states import ItemState
from schemas.tables import Image, Run, WorkItem
from wetread.store.images.places import root_paths
from wetread.store.work.leases import Claim, ClaimedItem

CANDIDATES = 32
"""Films of which one is taken: others may have vanished or be no films."""


def read_films(session: Session, held: Claim) -> list[ClaimedItem]:
    """Return films under the run's roots that its model has read, the latest first."""
    roots = session.scalar(select(Run.root_ids).where(Run.id == held.run_id)) or []
    query = (
        select(Image.id, Image.root_id, Image.path)
        .join(WorkItem, WorkItem.image_id == Image.id)
        .where(WorkItem.current, WorkItem.state == ItemState.DONE, WorkItem.model_digest == held.model_digest)
        .where(Image.root_id.in_(roots))
        .order_by(WorkItem.settled_at.desc(), Image.id.desc())
        .limit(CANDIDATES)
    )
    return _items(session, session.execute(query).all())


def waiting_films(session: Session, held: Claim, besides: int) -> list[ClaimedItem]:
    """Return films that wait in the run, without the image `besides`; those never tried alone first."""
    query = (
        select(Image.id, Image.root_id, Image.path)
        .join(WorkItem, WorkItem.image_id == Image.id)
        .where(WorkItem.run_id == held.run_id, WorkItem.state == ItemState.PENDING, Image.id != besides)
        .order_by(WorkItem.attempts, Image.id)
        .limit(CANDIDATES)
    )
    return _items(session, session.execute(query).all())


def _items(session: Session, rows) -> list[ClaimedItem]:  # type: ignore[no-untyped-def]  # SQLAlchemy's rows
    roots = root_paths(session, sorted({row.root_id for row in rows}))
    return [ClaimedItem(row.id, roots[row.root_id], row.path, 0, None, None) for row in rows]
