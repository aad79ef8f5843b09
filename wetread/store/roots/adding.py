"""Known roots: files are opened under these directories only."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.errors import UsageError
from schemas.tables import Image, Root
from wetread.clock import utc_now
from wetread.store.core.locks import lock_roots
from wetread.store.core.upsert import insert_for
from wetread.store.images.places import known_roots
from wetread.store.results.filters import listed_at
from wetread.store.roots.shared_roots import find_homes

ROOT_BYTES = 2_000
"""Longest path of a root: PostgreSQL's index, which keeps roots unique, takes no more than some 2,700 bytes."""


def resolved_roots(directories: Sequence[str | bytes]) -> list[bytes]:
    """Return `directories` as absolute paths without links, sorted, without those inside another.

    A directory inside another would have its files found twice. Raises UsageError when one is missing, is no
    directory or has too long a path.
    """
    paths: set[bytes] = set()
    for directory in directories:
        raw = os.fsencode(directory)
        try:
            path = os.path.realpath(raw, strict=True)
        except OSError as error:
            raise UsageError(f"expected a directory, found none at {os.fsdecode(raw)!r}: {error.strerror}") from error
        if not os.path.isdir(path):
            raise UsageError(f"expected a directory, found a file: {os.fsdecode(raw)!r}; name the folder it is in")
        if len(path) > ROOT_BYTES:
            raise UsageError(
                f"expected a directory whose path has at most {ROOT_BYTES:,} bytes, found {len(path):,}; name one "
                "above it: what lies below is found, however long its path is"
            )
        paths.add(path)
    return sorted(path for path in paths if not any(_inside(path, other) for other in paths if other != path))


def _inside(path: bytes, other: bytes) -> bool:
    return path.startswith(other.rstrip(b"/") + b"/")


def root_ids(session: Session, paths: Sequence[bytes], root_map: Mapping[str, str] | None = None) -> list[int]:
    """Return the ids of the roots at `paths`, in their order, making those that are new.

    It is settled whose images each of them shares; images may be moved, so call it before the transaction locks any
    other row. root_map: as the settings have it. The roots are locked until the transaction ends, so that of two
    commands that begin together the second sees the run of the first.
    """
    lock_roots(session)
    rows = [{"path": path, "created_at": utc_now()} for path in sorted(paths)]
    session.execute(insert_for(session)(Root).on_conflict_do_nothing(index_elements=[Root.path]), rows)
    # Not against the images that a walk adds under them: those only need the root to stay.
    mine = select(Root).where(Root.path.in_(paths)).order_by(Root.id).with_for_update(key_share=True)
    known = {root.path: root.id for root in session.scalars(mine)}
    find_homes(session, paths, root_map or {})
    return [known[path] for path in paths]


def ids_of_roots(session: Session, paths: Iterable[bytes]) -> list[int]:
    """Return the ids of those of `paths` that are roots already."""
    return list(session.scalars(select(Root.id).where(Root.path.in_(list(paths)))))


def has_images(session: Session, root_id: int) -> bool:
    """Return whether any run has found a file under this root."""
    (root,) = known_roots(session, [root_id])
    return session.scalar(select(Image.id).where(listed_at(session, root.place)).limit(1)) is not None
