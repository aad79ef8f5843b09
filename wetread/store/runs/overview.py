"""Reads what the live status page shows, in four or five queries for any amount of work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.states import ItemState
from schemas.tables import WorkItem
from wetread.store.runs.accounts import RunAccount, list_accounts, run_account
from wetread.store.work.workers import SeenWorker, seen_workers

ERRORS = 5
"""Films shown that were rejected or are dead."""


@dataclass(frozen=True, slots=True)
class FailedFilm:
    """A film that could not be read, and why. image: its number; its path is for `errors list` to show."""

    run: int
    image: int
    state: str
    reason: str
    detail: str
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Overview:
    """Runs, running ones first; their workers; and the last failed films of the first run."""

    runs: list[RunAccount]
    workers: list[SeenWorker]
    failed: list[FailedFilm]


def look(session: Session, run_id: int | None, before: Overview | None = None, *, runs: int = 5) -> Overview:
    """Return an overview of the latest runs, or of a named run.

    before: the last one; failed films are asked for only when their number changed since.
    Raises UsageError when there is no run of this number.
    """
    accounts = (
        list_accounts(session, limit=runs, running_first=True) if run_id is None else [run_account(session, run_id)]
    )
    if before is not None and accounts and _failures(before.runs) == _failures(accounts):
        failed = before.failed
    else:
        failed = _last_failed(session, accounts[0]) if accounts else []
    return Overview(accounts, seen_workers(session), failed)


def _failures(accounts: list[RunAccount]) -> tuple[int, int] | None:
    return (accounts[0].id, accounts[0].rejected + accounts[0].dead) if accounts else None


def _last_failed(session: Session, run: RunAccount) -> list[FailedFilm]:
    """Return the failed films that a walk found last: batches are taken in that order, and an index has it."""
    states = [state for state, count in ((ItemState.REJECTED, run.rejected), (ItemState.DEAD, run.dead)) if count]
    if not states:
        return []
    query = select(WorkItem).where(WorkItem.run_id == run.id, WorkItem.state.in_(states))
    rows = session.scalars(query.order_by(WorkItem.image_id.desc()).limit(ERRORS))
    return [
        FailedFilm(run.id, row.image_id, row.state, row.reason or "", row.detail or "", row.settled_at) for row in rows
    ]
