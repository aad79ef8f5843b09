"""Handles films that a watch finds again: changed ones go to the next run, unreachable ones are retried."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.reasons import WORLD_REASONS
from schemas.states import ItemState
from schemas.tables import Image, WorkItem
from wetread.store.images.places import known_roots
from wetread.store.images.recording import FoundFile
from wetread.store.runs.retrying import retry_failed


def changed_since_read(session: Session, run_id: int, root_id: int, files: Sequence[FoundFile]) -> list[FoundFile]:
    """Return those of `files` that the run has settled as they were before."""
    home, by_hash = _by_hash(session, root_id, files)
    query = (
        select(Image.path_hash, WorkItem.size, WorkItem.mtime_ns)
        .join(WorkItem, WorkItem.image_id == Image.id)
        .where(
            Image.root_id == home, Image.path_hash.in_(by_hash), WorkItem.run_id == run_id,
            WorkItem.state != ItemState.PENDING, WorkItem.size.is_not(None),
        )
    )  # fmt: skip
    return [
        by_hash[found]
        for found, size, mtime_ns in session.execute(query)
        if found is not None and (by_hash[found].size, by_hash[found].mtime_ns) != (size, mtime_ns)
    ]


def try_again(session: Session, run_id: int, root_id: int, files: Sequence[FoundFile], *, batch_size: int) -> int:
    """Make those of `files` pending again that the run has rejected for the world around them; return how many."""
    home, hashes = _by_hash(session, root_id, files)
    query = (
        select(Image.id)
        .join(WorkItem, WorkItem.image_id == Image.id)
        .where(
            Image.root_id == home, Image.path_hash.in_(hashes), WorkItem.run_id == run_id,
            WorkItem.state == ItemState.REJECTED, WorkItem.reason.in_(sorted(WORLD_REASONS)),
        )
    )  # fmt: skip
    images = list(session.scalars(query))
    if not images:
        return 0
    return retry_failed(session, run_id, sorted(WORLD_REASONS), batch_size=batch_size, images=images)


def count_unknown(session: Session, root_id: int, files: Sequence[FoundFile]) -> int:
    """Return how many of `files` are not on the list as they are now, with this size and time of change."""
    known = 0
    for chunk in (
        files[start : start + 500] for start in range(0, len(files), 500)
    ):  # a statement takes so many values
        home, by_hash = _by_hash(session, root_id, chunk)
        query = select(Image.path_hash, Image.size, Image.mtime_ns)
        rows = session.execute(query.where(Image.root_id == home, Image.path_hash.in_(by_hash)))
        known += sum(
            (by_hash[found].size, by_hash[found].mtime_ns) == (size, mtime) for found, size, mtime in rows if found
        )
    return len(files) - known


def _by_hash(session: Session, root_id: int, files: Sequence[FoundFile]) -> tuple[int, dict[bytes, FoundFile]]:
    """Return which root lists the images of `files`, and {the path's hash there: file}."""
    (root,) = known_roots(session, [root_id])
    home, inside = root.place
    return home, {hashlib.sha256(inside + file.path).digest(): file for file in files}
