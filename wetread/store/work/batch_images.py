"""Reads which images of a batch are pending, and where each lies."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from schemas.reasons import Reason
from schemas.states import ItemState
from schemas.tables import Image, Root, Run, WorkItem
from wetread.store.core.sent_together import PLAIN
from wetread.store.images.places import known_root, known_roots, seen_from


@dataclass(frozen=True, slots=True)
class ClaimedItem:
    """One image to read: where it is, how often it was tried alone, and what was noted when that failed.

    sha256, size, mtime_ns: of its file when it was last tried alone, or as the walk saw it.
    """

    image_id: int
    root: bytes
    path: bytes
    attempts: int
    reason: Reason | None
    detail: str | None
    sha256: str | None = None
    size: int | None = None
    mtime_ns: int | None = None


def pending_items(session: Session, batch_id: int) -> tuple[ClaimedItem, ...]:
    """Return the pending images of a batch, for any holder."""
    query = (
        select(
            Image.id, Image.path, WorkItem.attempts, WorkItem.reason, WorkItem.detail, WorkItem.sha256,
            func.coalesce(WorkItem.size, Image.size).label("size"),
            func.coalesce(WorkItem.mtime_ns, Image.mtime_ns).label("mtime_ns"),
            Run.root_ids, Root.id.label("home"), Root.path.label("home_path"),
        )
        .join(Image, Image.id == WorkItem.image_id)
        .join(Root, Root.id == Image.root_id)
        .join(Run, Run.id == WorkItem.run_id)
        .where(WorkItem.batch_id == batch_id, WorkItem.state == ItemState.PENDING)
        .order_by(Image.id)
    )  # fmt: skip
    rows = session.execute(query, execution_options=PLAIN).all()
    # Each image with its home as one moment knows them: where images are moved meanwhile, that is still theirs.
    roots = {row.home: known_root(row.home, row.home_path) for row in rows}
    asked = rows[0].root_ids if rows else []
    if elsewhere := [root_id for root_id in asked if root_id not in roots]:  # within a home, or with no image here
        roots |= {root.id: root for root in known_roots(session, elsewhere)}
    given = [roots[root_id] for root_id in asked]
    return tuple(
        ClaimedItem(
            row.id,
            *seen_from(given, roots[row.home], row.path),
            row.attempts,
            None if row.reason is None else Reason(row.reason),
            row.detail,
            row.sha256,
            row.size,
            row.mtime_ns,
        )
        for row in rows
    )
