"""Directories that walks could not look into: each with its path and reason, until a later walk looks into it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from schemas.tables import Root, UnreadDirectory
from wetread.clock import utc_now
from wetread.store.core.upsert import insert_for

KEPT = 1_000
"""Directories of one root that are named; of more than that, their number is known alone."""


@dataclass(frozen=True, slots=True)
class UnreadRow:
    """A directory that was not looked into. path: absolute, as bytes. run: that met it last."""

    path: bytes
    reason: str
    run: int
    found_at: datetime


def note_unread(session: Session, run_id: int, root_id: int, found: Mapping[bytes, str], *, whole: bool) -> None:
    """Write down what a walk of a root met: {path relative to the root: reason}, the first KEPT of them.

    whole: the root was walked to its end, so that whatever else is written down of it was looked into, or is gone. So
    was what other roots have of it.
    """
    now, kept = utc_now(), dict(list(found.items())[:KEPT])
    if whole:
        _looked_into(session, root_id, kept, now)
    rows = [
        {
            "root_id": root_id, "path_hash": sha256(path).digest(), "path": path, "reason": reason[:200],
            "run_id": run_id, "found_at": now, "looked_into_at": None,
        }
        for path, reason in sorted(kept.items())
    ]  # fmt: skip
    if not rows:
        return
    insert = insert_for(session)(UnreadDirectory)
    renewed = {name: insert.excluded[name] for name in ("reason", "run_id", "found_at", "looked_into_at")}
    keys = [UnreadDirectory.root_id, UnreadDirectory.path_hash]
    session.execute(insert.on_conflict_do_update(index_elements=keys, set_=renewed), rows)


def _looked_into(session: Session, root_id: int, unread: Mapping[bytes, str], now: datetime) -> None:
    """Take from the list what the walk of a root has looked into: all that lies in it but `unread`."""
    with_unread = select(UnreadDirectory.root_id).where(UnreadDirectory.looked_into_at.is_(None))
    query = select(Root.id, Root.path).where(Root.id.in_(with_unread))
    roots = {row.id: row.path for row in session.execute(query)}
    if not roots:
        return
    here = roots.get(root_id) or session.scalar(select(Root.path).where(Root.id == root_id)) or b""
    still = {os.path.join(here, path).rstrip(b"/") for path in unread}
    rows = select(UnreadDirectory.root_id, UnreadDirectory.path, UnreadDirectory.path_hash)
    for root, path, path_hash in session.execute(rows.where(UnreadDirectory.looked_into_at.is_(None))).all():
        place = os.path.join(roots.get(root, b""), path).rstrip(b"/")
        inside = root == root_id or (place + b"/").startswith(here.rstrip(b"/") + b"/")
        if inside and not (root == root_id and place in still):
            mine = (UnreadDirectory.root_id == root, UnreadDirectory.path_hash == path_hash)
            session.execute(update(UnreadDirectory).where(*mine).values(looked_into_at=now))


def forget_unread(session: Session, prefix: bytes) -> int:
    """Delete what is written down of directories whose absolute path begins with `prefix`; return how many."""
    rows = select(Root.path, UnreadDirectory).join(Root, Root.id == UnreadDirectory.root_id)
    gone = [row for root, row in session.execute(rows) if (os.path.join(root, row.path) + b"/").startswith(prefix)]
    for row in gone:
        session.delete(row)
    return len(gone)


def list_unread(session: Session, root_ids: Sequence[int] | None, *, limit: int) -> list[UnreadRow]:
    """Return the directories that nobody has looked into since, by path, at most `limit`: under these roots, or all."""
    query = (
        select(Root.path, UnreadDirectory)
        .join(Root, Root.id == UnreadDirectory.root_id)
        .where(UnreadDirectory.looked_into_at.is_(None))
        .order_by(Root.path, UnreadDirectory.path)
        .limit(limit)
    )
    if root_ids is not None:
        query = query.where(UnreadDirectory.root_id.in_(root_ids))
    return [
        UnreadRow(os.path.join(root, row.path).rstrip(b"/"), row.reason, row.run_id, row.found_at)
        for root, row in session.execute(query)
    ]


def count_unread(session: Session, root_ids: Sequence[int]) -> int:
    """Return how many directories under these roots are written down."""
    query = select(func.count()).select_from(UnreadDirectory)
    still = (UnreadDirectory.root_id.in_(root_ids), UnreadDirectory.looked_into_at.is_(None))
    return session.scalar(query.where(*still)) or 0
