"""Films that changed after a run has read them: they belong to the next run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.states import ItemState
from schemas.tables import Image, WorkItem
from wetread.store.images import FoundFile


def changed_since_read(session: Session, run_id: int, root_id: int, files: Sequence[FoundFile]) -> list[FoundFile]:
    """Return those of `files` that the run has settled as they were before."""
    by_hash = {hashlib.sha256(file.path).digest(): file for file in files}
    query = (
        select(Image.path_hash, WorkItem.size, WorkItem.mtime_ns)
        .join(WorkItem, WorkItem.image_id == Image.id)
        .where(
            Image.root_id == root_id, Image.path_hash.in_(by_hash), WorkItem.run_id == run_id,
            WorkItem.state != ItemState.PENDING, WorkItem.size.is_not(None),
        )
    )  # fmt: skip
    return [
        by_hash[found]
        for found, size, mtime_ns in session.execute(query)
        if found is not None and (by_hash[found].size, by_hash[found].mtime_ns) != (size, mtime_ns)
    ]
