"""Stores worker processes: who they are, when each last sent a heartbeat, and which batch it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.orm import Session

from schemas.tables import Worker
from wetread.clock import utc_now
from wetread.store.core.database_clock import database_seconds
from wetread.store.core.upsert import insert_for

FORGOTTEN_SECONDS = 7 * 24 * 3600.0
"""Seconds of silence after which a worker's row is removed."""

SIGNS_MISSED = 3
"""Signs of life that a process may miss before it counts as silent."""

ASSUMED_SECONDS = 15.0
"""Seconds between two signs of a worker that does not say how often it gives one, as of an earlier version."""


class WorkerKind(StrEnum):
    """What a process is: a service, which takes messages and keeps processes; or one of these, which reads batches."""

    SERVICE = "service"
    PROCESS = "process"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A worker's sign of life: its id (host:pid:start:place), and what people want to know of it."""

    id: str
    host: str
    pid: int
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SeenWorker:
    """A process as its last heartbeat has it; memory in bytes. silent_seconds: since then, by the database's clock.

    run, batch: what it has in hand, and for how many seconds it has had it.
    """

    id: str
    host: str
    pid: int
    kind: WorkerKind
    silent_seconds: float
    alive: bool
    memory_bytes: int | None
    stage: str
    run: int | None
    batch: int | None
    batch_seconds: float | None


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


def forget_silent(session: Session) -> None:
    """Remove workers that have been silent for very long."""
    session.execute(delete(Worker).where(Worker.seen_at < database_seconds() - FORGOTTEN_SECONDS))


def leave(session: Session, worker_id: str) -> None:
    """Remove a worker that ends in order."""
    session.execute(delete(Worker).where(Worker.id == worker_id))


def worker_ids(session: Session) -> list[str]:
    """Return the ids of all workers, heard of lately or not. A host's name says nothing: two may have the same."""
    return list(session.scalars(select(Worker.id)))


def forget_dead(session: Session, dead: Sequence[str]) -> int:
    """Remove workers that are known to be dead; return how many were still listed."""
    gone = session.execute(delete(Worker).where(Worker.id.in_(dead)).returning(Worker.id))
    return len(gone.all())


def count_alive(session: Session, silence_seconds: float) -> int:
    """Return how many services were heard of in the last `silence_seconds`."""
    heard = Worker.seen_at > database_seconds() - silence_seconds
    return session.scalar(select(func.count()).select_from(Worker).where(heard, _is_service())) or 0


def seen_workers(session: Session, *, within_seconds: float = 24 * 3600.0, limit: int = 1_000) -> list[SeenWorker]:
    """Return services and processes that were heard of lately, by host; the silent among them too."""
    silent = database_seconds() - Worker.seen_at
    query = select(Worker.id, Worker.host, Worker.pid, Worker.details, silent).where(silent < within_seconds)
    rows = session.execute(query.order_by(Worker.host, Worker.pid).limit(limit))
    return [_seen(*row) for row in rows]


def _is_service() -> ColumnElement[bool]:
    kind = Worker.details["kind"].as_string()
    return or_(kind.is_(None), kind == WorkerKind.SERVICE)  # none: the version before, which knew services alone


def _seen(worker_id: str, host: str, pid: int, details: dict[str, Any], silent: float) -> SeenWorker:
    return SeenWorker(
        id=worker_id,
        host=host,
        pid=pid,
        kind=WorkerKind(details.get("kind", WorkerKind.SERVICE)),
        silent_seconds=silent,
        alive=silent <= SIGNS_MISSED * float(details.get("every_seconds", ASSUMED_SECONDS)),
        memory_bytes=details.get("memory_bytes"),
        stage=str(details.get("stage", "")),
        run=details.get("run"),
        batch=details.get("batch"),
        batch_seconds=details.get("batch_seconds"),
    )
