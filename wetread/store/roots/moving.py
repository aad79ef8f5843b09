"""Moves a directory's images to another's list, and merges two images of one film."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import BigInteger, LargeBinary, and_, select, update
from sqlalchemy.orm import Session, aliased

from schemas.reasons import WORLD_REASONS
from schemas.states import ItemState, RunState
from schemas.tables import Image, Model, Run, WorkItem
from wetread.store.core.joined_rows import Columns, as_table
from wetread.store.core.locks import lock_batches, lock_readings
from wetread.store.images.headers import lock_headers
from wetread.store.images.places import Place
from wetread.store.results.filters import listed_at
from wetread.store.roots.erasing import ERASED_AT_ONCE, erase_images

MOVED_AT_ONCE = 8192
"""Images that one statement moves."""

_COLUMNS: Columns = {"id": BigInteger, "path": LargeBinary, "path_hash": LargeBinary}


def move_images(session: Session, home: int, place: Place) -> None:
    """List the images of the directory `home` at `place` from now on, in this transaction.

    An image keeps its id, and what was read of it. Where `place` has the film already, its items go to the image
    there: every run keeps its own, and of two current readings by one model the later one stays current.
    """
    last, has_films = -1, session.scalar(select(Image.id).where(listed_at(session, place)).limit(1)) is not None
    while rows := _some(session, home, last):
        last = rows[-1][0]
        moved = [(key, path := place.inside + old, sha256(path).digest()) for key, old in rows]
        now = as_table(session, "moved_images", _COLUMNS, moved).c
        twins: list[tuple[int, int]] = []
        if has_films:
            listed = and_(Image.root_id == place.home, Image.path_hash == now.path_hash)
            query = select(now.id, Image.id).join(Image, listed).order_by(now.id)
            twins += [(double, kept) for double, kept in session.execute(query)]
        for start in range(0, len(twins), ERASED_AT_ONCE):
            _join(session, dict(twins[start : start + ERASED_AT_ONCE]))
        session.execute(  # all that are left of them
            update(Image)
            .where(Image.id == now.id)
            .values(root_id=place.home, path=now.path, path_hash=now.path_hash)
            .execution_options(synchronize_session=False)
        )


def _some(session: Session, home: int, last: int) -> Sequence[tuple[int, bytes]]:
    # In the order in which they lie in the table.
    query = select(Image.id, Image.path).where(Image.root_id == home, Image.id > last).order_by(Image.id)
    query = query.limit(MOVED_AT_ONCE)
    return [(key, path) for key, path in session.execute(query)]


def _join(session: Session, twins: Mapping[int, int]) -> None:
    """Make one image of each pair {double: kept}. Locks in the order `ERASING` of wetread.store.core.locks."""
    ids = [*twins, *twins.values()]
    for model in session.scalars(select(Model.digest).order_by(Model.digest)).all():
        lock_readings(session, model, alone=True)
    of_these = WorkItem.image_id.in_(ids)
    lock_batches(session, select(WorkItem.batch_id).where(of_these, WorkItem.state == ItemState.PENDING))
    lock_headers(session, select(WorkItem.header_id).where(of_these))
    held = Run.id.in_(select(WorkItem.run_id).where(of_these))
    runs = select(Run.id).where(held | (Run.state == RunState.RUNNING)).order_by(Run.id)
    session.execute(runs.with_for_update()).all()
    _keep_the_latest(session, twins)
    pair = as_table(session, "twin_images", {"double": BigInteger, "kept": BigInteger}, list(twins.items())).c
    other = aliased(WorkItem)
    session.execute(
        update(WorkItem)
        .where(WorkItem.image_id == pair.double)
        .where(~select(other.run_id).where(other.run_id == WorkItem.run_id, other.image_id == pair.kept).exists())
        .values(image_id=pair.kept)
        .execution_options(synchronize_session=False)
    )
    # With what a run has of a film that it found by both names: its accounts count that once from now on.
    erase_images(session, list(twins), received=False)


def _keep_the_latest(session: Session, twins: Mapping[int, int]) -> None:
    """Leave one reading by each model current; keep the size and time of the image that was found last."""
    items: Any = session.execute(
        select(
            WorkItem.image_id, WorkItem.run_id, WorkItem.model_digest, WorkItem.current, WorkItem.reason,
            WorkItem.settled_at, Image.size, Image.mtime_ns,
        )
        .join(Image, Image.id == WorkItem.image_id)
        .where(WorkItem.image_id.in_([*twins, *twins.values()]))
        .order_by(WorkItem.run_id)
    ).all()  # fmt: skip
    current: dict[tuple[int, str], list[Any]] = {}
    found_last: dict[int, Any] = {}
    for item in items:
        kept = twins.get(item.image_id, item.image_id)
        found_last[kept] = item
        if item.current:
            current.setdefault((kept, item.model_digest), []).append(item)
    by_run = {(item.image_id, item.run_id) for item in items}
    for (kept, _), readings in current.items():
        # A world that kept it from being read takes back no reading, as when an image settles. What a run has twice
        # is about to go.
        readings.sort(
            key=lambda item: (
                item.image_id == kept or (kept, item.run_id) not in by_run,
                item.reason not in WORLD_REASONS, item.settled_at, item.run_id,
            )
        )  # fmt: skip
        for earlier in readings[:-1]:
            session.execute(
                update(WorkItem)
                .where(WorkItem.run_id == earlier.run_id, WorkItem.image_id == earlier.image_id)
                .values(current=False)
                .execution_options(synchronize_session=False)
            )
    for kept, item in found_last.items():
        if item.image_id != kept:
            session.execute(
                update(Image)
                .where(Image.id == kept)
                .values(size=item.size, mtime_ns=item.mtime_ns)
                .execution_options(synchronize_session=False)
            )
