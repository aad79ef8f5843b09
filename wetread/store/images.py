"""The list of images: what a walk found becomes images, work items and batches, in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from schemas.states import BYTES_REASONS, ItemState, RunState
from schemas.tables import Batch, Image, Run, WorkItem
from wetread.store.image_set import ImageSet
from wetread.store.moments import database_seconds
from wetread.store.upsert import insert_for

WALK_LEASE_SECONDS = 60.0
"""Seconds of silence after which a walk counts as abandoned."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file that a walk found: its path relative to the root, as bytes, and what lstat said."""

    path: bytes
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class RunToFill:
    """What recording needs to know of a run. walker: who walks it; only one process does at a time."""

    id: int
    walker: str
    model_digest: str
    force: bool
    batch_size: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of some files: how many are new to the run, and the batches they are in.

    run_ended: the run is not running any more (cancelled, paused, or walked by another); nothing was recorded.
    """

    pending: int
    skipped: int
    batch_ids: tuple[int, ...]
    run_ended: bool = False


def record_files(
    session: Session, run: RunToFill, root_id: int, files: Sequence[FoundFile], walk_skipped: ImageSet
) -> Recorded:
    """Record `files` of one root for a run: each becomes pending, or is skipped, or was in the run already.

    walk_skipped: the images that this walk has skipped; they are passed over, and those skipped now are added. They
    have no row in the run that would say so.
    """
    # The run's row is locked first: two commands that walk the same run take turns.
    row = session.execute(select(Run.state, Run.walker).where(Run.id == run.id).with_for_update()).first()
    if row is None or tuple(row) != (RunState.RUNNING, run.walker):
        return Recorded(0, 0, (), run_ended=True)
    # A file system may name a file twice when its directory changes while it is listed.
    files = list({file.path: file for file in files}.values())
    ids = _image_ids(session, root_id, files)
    known = select(WorkItem.image_id).where(WorkItem.run_id == run.id, WorkItem.image_id.in_(ids))
    in_run = {*session.scalars(known), *(image for image in ids if image in walk_skipped)}
    settled = set() if run.force else _settled(session, run.model_digest, dict(zip(ids, files, strict=True)))
    pending = [image for image in ids if image not in in_run and image not in settled]
    skipped = [image for image in ids if image in settled and image not in in_run]
    batch_ids = _make_batches(session, run, pending)
    session.execute(
        update(Run)
        .where(Run.id == run.id)
        .values(
            found=Run.found + len(pending) + len(skipped),
            pending=Run.pending + len(pending),
            skipped=Run.skipped + len(skipped),
            walk_until=database_seconds() + WALK_LEASE_SECONDS,
        )
    )
    walk_skipped.update(skipped)
    return Recorded(len(pending), len(skipped), batch_ids)


def has_images(session: Session, root_id: int) -> bool:
    """Return whether any run has found a file under this root."""
    return session.scalar(select(Image.id).where(Image.root_id == root_id).limit(1)) is not None


def _image_ids(session: Session, root_id: int, files: Sequence[FoundFile]) -> list[int]:
    """Return the id of each file's image, in order, making new images and updating changed ones."""
    hashes = {file.path: hashlib.sha256(file.path).digest() for file in files}
    known = _known_images(session, root_id, hashes)
    changed = [
        {"key": known[f.path].id, "hash": hashes[f.path], "size": f.size, "mtime_ns": f.mtime_ns}
        for f in files
        if f.path in known and known[f.path][2:] != (hashes[f.path], f.size, f.mtime_ns)
    ]
    if changed:
        table: Any = Image.__table__
        statement = update(table).where(table.c.id == bindparam("key")).values(path_hash=bindparam("hash"))
        session.connection().execute(statement.values(size=bindparam("size"), mtime_ns=bindparam("mtime_ns")), changed)
    ids = {path: image.id for path, image in known.items()}
    # In order of path, so that two runs that find the same new files cannot lock each other out.
    new = sorted((file for file in files if file.path not in known), key=lambda file: file.path)
    if new:
        rows = [
            {"root_id": root_id, "path": f.path, "path_hash": hashes[f.path], "size": f.size, "mtime_ns": f.mtime_ns}
            for f in new
        ]
        added = insert_for(session)(Image).on_conflict_do_nothing().returning(Image.id, Image.path)
        ids.update((path, image) for image, path in session.execute(added, rows))
        missing = {file.path: hashes[file.path] for file in new if file.path not in ids}
        if missing:  # another run recorded them between our look and our insert
            ids.update((path, image.id) for path, image in _known_images(session, root_id, missing).items())
    return [ids[file.path] for file in files]


def _known_images(session: Session, root_id: int, hashes: dict[bytes, bytes]) -> dict[bytes, Any]:
    """Return {path: (path, id, path_hash, size, mtime_ns)} of the images at the paths of {path: hash}."""
    of_root = select(Image.path, Image.id, Image.path_hash, Image.size, Image.mtime_ns).where(Image.root_id == root_id)
    known = {row.path: row for row in session.execute(of_root.where(Image.path_hash.in_(hashes.values())))}
    # A statement of its own: in one with OR, neither database would look the hashes up in their index.
    if unknown := [path for path in hashes if path not in known]:
        by_older_version = of_root.where(Image.path_hash.is_(None), Image.path.in_(unknown))
        known.update((row.path, row) for row in session.execute(by_older_version))
    return known


def _settled(session: Session, model_digest: str, files: dict[int, FoundFile]) -> set[int]:
    """Return the images that this model has done, or that are dead or rejected for their bytes, unchanged since."""
    query = select(WorkItem.image_id, WorkItem.state, WorkItem.reason, WorkItem.size, WorkItem.mtime_ns).where(
        WorkItem.image_id.in_(files), WorkItem.model_digest == model_digest, WorkItem.current
    )
    return {
        image
        for image, state, reason, size, mtime_ns in session.execute(query)
        if (size, mtime_ns) == (files[image].size, files[image].mtime_ns)
        and (state in (ItemState.DONE, ItemState.DEAD) or (state == ItemState.REJECTED and reason in BYTES_REASONS))
    }


def _make_batches(session: Session, run: RunToFill, images: Iterable[int]) -> tuple[int, ...]:
    batch_ids = []
    remaining = iter(images)
    while members := list(islice(remaining, run.batch_size)):
        batch = Batch(run_id=run.id, pending=len(members), fence=0, kills=0)
        session.add(batch)
        session.flush()
        rows = [
            {
                "run_id": run.id,
                "image_id": image,
                "batch_id": batch.id,
                "model_digest": run.model_digest,
                "state": ItemState.PENDING,
                "attempts": 0,
                "current": False,
            }
            for image in members
        ]
        session.execute(insert(WorkItem), rows)
        batch_ids.append(batch.id)
    return tuple(batch_ids)
