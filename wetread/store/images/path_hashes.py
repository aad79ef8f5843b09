"""Adds the path hashes that an older version's images lack."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session

from schemas.tables import Image


def hash_paths_of_older_versions(session: Session, root_id: int, found: Any) -> None:
    """Give the found images their path's hash that a version before it inserted without, on SQLite."""
    if session.get_bind().dialect.name != "sqlite":
        return
    without = and_(Image.root_id == root_id, Image.path_hash.is_(None))
    if session.scalar(select(Image.id).where(without).limit(1)) is None:
        return
    session.execute(
        update(Image)
        .where(without, Image.path == found.path)
        .values(path_hash=found.path_hash)
        .execution_options(synchronize_session=False)
    )
