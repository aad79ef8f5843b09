"""Processes that serve: who they are, and when each was last heard of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from schemas.tables import Worker
from wetread.clock import utc_now
from wetread.store.moments import database_seconds
from wetread.store.upsert import insert_for

FORGOTTEN_SECONDS = 7 * 24 * 3600.0
"""Seconds of silence after which a worker's row is removed."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A worker's sign of life: its id (host:pid:start), and what people want to know of it."""

    id: str
    host: str
    pid: int
    details: dict[str, Any]


def beat(session: Session, heartbeat: Heartbeat) -> None:
    """Write a worker's sign of life."""
    statement = insert_for(session)(Worker).values(
        id=heartbeat.id,
        host=heartbeat.host,
        pid=heartbeat.pid,
        started_at=utc_now(),
        seen_at=database_seconds(),
        details=heartbeat.details,
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Worker.id], set_={"seen_at": database_seconds(), "details": statement.excluded.details}
        )
    )
    session.execute(delete(Worker).where(Worker.seen_at < database_seconds() - FORGOTTEN_SECONDS))


def leave(session: Session, worker_id: str) -> None:
    """Remove a worker that ends in order."""
    session.execute(delete(Worker).where(Worker.id == worker_id))


def count_alive(session: Session, silence_seconds: float) -> int:
    """Return how many workers were heard of in the last `silence_seconds`."""
    query = select(func.count()).select_from(Worker).where(Worker.seen_at > database_seconds() - silence_seconds)
    return session.scalar(query) or 0
