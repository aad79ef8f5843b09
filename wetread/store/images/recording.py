"""Records what a walk found as images, work items and batches, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, islice
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    Integer,
    LargeBinary,
    String,
    and_,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Session, aliased

from schemas.films import ACCEPTED, Accepted
from schemas.states import ItemState, RunState
from schemas.tables import Batch, Image, Run, WorkItem
from wetread.store.core.database_clock import database_seconds
from wetread.store.core.image_set import ImageSet
from wetread.store.core.joined_rows import Columns, as_table
from wetread.store.core.locks import lock_walk
from wetread.store.core.upsert import insert_for
from wetread.store.images.path_hashes import hash_paths_of_older_versions
from wetread.store.images.places import held_place
from wetread.store.images.unchanged import need_not_be_read

WALK_LEASE_SECONDS = 60.0
"""Seconds of silence after which a walk counts as abandoned."""


class FoundFile(NamedTuple):
    """A regular file that a walk found: its path relative to the root, as bytes, and what lstat said.

    A tuple, since it is made for every file and goes to the database as it is.
    """

    path: bytes
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class RunToFill:
    """What recording needs to know of a run. walker: who walks it; only one process does at a time.

    beside: the run that it shadows: an image that waits there is put into a batch that is read with that one.
    accepted: words of DICOM headers that are read although they name something else.
    """

    id: int
    walker: str
    model_digest: str
    force: bool
    batch_size: int
    beside: int | None = None
    accepted: Accepted = ACCEPTED


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of some files: how many are new to the run, and the batches they are in.

    run_ended: the run is not running any more (cancelled, paused, or walked by another); nothing was recorded.
    """

    pending: int
    skipped: int
    batch_ids: tuple[int, ...]
    run_ended: bool = False


class _Known(NamedTuple):
    """A found file that is on the list: its place among the files, its image, and what is known of that.

    changed: since the list was written. in_run: it has an item in this run. settled: it need not be read again.
    """

    place: int
    image_id: int
    changed: bool
    in_run: bool
    settled: bool


def record_files(
    session: Session, run: RunToFill, root_id: int, files: Sequence[FoundFile], walk_skipped: ImageSet
) -> Recorded:
    """Record `files` of one root for a run: each becomes pending, or is skipped, or was in the run already.

    The number of statements does not grow with the number of files.
    walk_skipped: the images that this walk has skipped; they are passed over, and those skipped now are added. They
    have no row in the run that would say so. One whose file has changed since becomes pending instead.
    """
    lock_walk(session, run.id)
    home, inside = held_place(session, root_id)
    if not _is_ours(session, run):
        return Recorded(0, 0, (), run_ended=True)
    # A file system may name a file twice when its directory changes while it is listed.
    unique = {file.path: file for file in files}.values()
    listed = ((inside + path, size, mtime) for path, size, mtime in unique)
    rows = [(place, sha256(path).digest(), path, size, mtime) for place, (path, size, mtime) in enumerate(listed)]
    known, pending = _known_and_new(session, run, home, rows)
    known = [file for file in known if not file.in_run]
    passed_over = walk_skipped.among([file.image_id for file in known])
    skipped = [file.image_id for file in known if file.settled and file.image_id not in passed_over]
    changed = [file.image_id for file in known if not file.settled]
    pending += changed
    regained = len(passed_over.intersection(changed))
    pending.sort()
    batch_ids = _make_batches(session, run, pending)
    if not _count(session, run, len(pending), len(skipped) - regained):
        session.rollback()
        return Recorded(0, 0, (), run_ended=True)
    walk_skipped.update(skipped)
    return Recorded(len(pending), len(skipped) - regained, batch_ids)


def _is_ours(session: Session, run: RunToFill) -> bool:
    """Return whether the run is still ours to walk; it stays there until the transaction ends.

    Workers that settle change its row meanwhile: it is locked against whoever takes images back, who would want our
    images while we want its run.
    """
    query = select(Run.state, Run.walker).where(Run.id == run.id)
    # One that shadows is recorded after the other in this transaction, which is not to be rolled back.
    alone = run.beside is not None
    row = session.execute(query.with_for_update(read=not alone, key_share=not alone)).first()
    return row is not None and tuple(row) == (RunState.RUNNING, run.walker)


def _count(session: Session, run: RunToFill, pending: int, skipped: int) -> bool:
    """Add to the run's accounts; return False, having added nothing, when the run was ended or taken meanwhile."""
    counted = session.execute(
        update(Run)
        .where(Run.id == run.id, Run.state == RunState.RUNNING, Run.walker == run.walker)
        .values(
            found=Run.found + pending + skipped,
            pending=Run.pending + pending,
            skipped=Run.skipped + skipped,
            walk_until=database_seconds() + WALK_LEASE_SECONDS,
        )
        .returning(Run.id)
        .execution_options(synchronize_session=False)
    )
    return counted.first() is not None


_Row = tuple[int, bytes, bytes, int, int]
_COLUMNS: Columns = {
    "place": BigInteger, "path_hash": LargeBinary, "path": LargeBinary, "size": BigInteger, "mtime_ns": BigInteger
}  # fmt: skip
"""A found file as the database is to join it: its place among the files, and what the list keeps of it."""


def _known_and_new(
    session: Session, run: RunToFill, root_id: int, files: Sequence[_Row]
) -> tuple[list[_Known], list[int]]:
    """Return the files that were on the list, brought up to date, and the ids of the images made for the others."""
    known = _look_up(session, run, root_id, files)
    _bring_up_to_date(session, files, known)
    if len(known) == len(files):
        return known, []
    places = {file.place for file in known}
    new = [file for file in files if file[0] not in places]
    added = _add_images(session, root_id, new)
    if len(added) == len(new):
        return known, added
    # Another run recorded some of them between our look and our insert.
    return known + _look_up(session, run, root_id, new), []


def _look_up(session: Session, run: RunToFill, root_id: int, files: Sequence[_Row]) -> list[_Known]:
    """Return what the database knows of those of `files` that are on the list."""
    found = as_table(session, "found_files", _COLUMNS, files).c
    hash_paths_of_older_versions(session, root_id, found)
    mine, last = aliased(WorkItem), aliased(WorkItem, name="last")
    changed = or_(Image.size != found.size, Image.mtime_ns != found.mtime_ns)
    query = (
        select(found.place, Image.id, changed, mine.run_id.is_not(None), last.run_id.is_not(None))
        # Also those that are not on the list: an outer join leaves the database no choice with which table it begins.
        .outerjoin(Image, and_(Image.root_id == root_id, Image.path_hash == found.path_hash))
        .outerjoin(mine, and_(mine.run_id == run.id, mine.image_id == Image.id))
        .outerjoin(last, need_not_be_read(last, found, run.model_digest, force=run.force, accepted=run.accepted))
    )
    # Of the connection: the session looks at each row for what it may have to map.
    return [_Known._make(row) for row in session.connection().execute(query) if row[1] is not None]


def _bring_up_to_date(session: Session, files: Sequence[_Row], known: Iterable[_Known]) -> None:
    """Write down size and time of the images whose files have changed."""
    changed = [(file.image_id, *files[file.place][3:]) for file in known if file.changed]
    if not changed:
        return
    columns: Columns = {"image_id": BigInteger, "size": BigInteger, "mtime_ns": BigInteger}
    now = as_table(session, "changed_files", columns, changed).c
    # Locked in one order, so that two runs that find the same changes cannot lock each other out.
    session.execute(select(Image.id).where(Image.id == now.image_id).order_by(Image.id).with_for_update(of=Image)).all()
    session.execute(
        update(Image)
        .where(Image.id == now.image_id)
        .values(size=now.size, mtime_ns=now.mtime_ns)
        .execution_options(synchronize_session=False)
    )


def _add_images(session: Session, root_id: int, files: Sequence[_Row]) -> list[int]:
    """Return the ids of images made for `files`, without images that another run has made meanwhile."""
    found = as_table(session, "found_files", _COLUMNS, files).c
    columns = [found.path, found.path_hash, found.size, found.mtime_ns]
    # In order of path, so that two runs that find the same new files cannot lock each other out.
    query = select(literal(root_id, BigInteger), *columns).where(true()).order_by(found.path)
    insert_images = insert_for(session)(Image.__table__).from_select(
        ["root_id", *(column.name for column in columns)], query
    )
    return list(session.scalars(insert_images.on_conflict_do_nothing().returning(Image.__table__.c.id)))


def _make_batches(session: Session, run: RunToFill, images: Sequence[int]) -> tuple[int, ...]:
    """Put `images` into new batches of the run; return the batches' ids."""
    if not images:
        return ()
    led = [(None, images)] if run.beside is None else _by_leader(session, run.beside, images)
    size = run.batch_size
    rows = [
        {"run_id": run.id, "pending": min(size, len(group) - start), "fence": 0, "kills": 0, "rides_on": leader}
        for leader, group in led
        for start in range(0, len(group), size)
    ]
    batches: Any = Batch.__table__
    ids = batches.c.id, batches.c.pending
    made = session.execute(insert(batches).returning(*ids, sort_by_parameter_order=len(led) > 1), rows).all()
    remaining = chain.from_iterable(group for _, group in led)
    members = [(image, batch) for batch, count in made for image in islice(remaining, count)]
    _add_items(session, run, members)
    return tuple(batch for batch, _ in made)


def _by_leader(session: Session, run_id: int, images: Sequence[int]) -> list[tuple[int | None, list[int]]]:
    """Return (batch, those of `images` that wait in it) for each batch of a run, and (None, the others)."""
    waiting = (WorkItem.run_id == run_id, WorkItem.state == ItemState.PENDING)
    query = select(WorkItem.image_id, WorkItem.batch_id).where(WorkItem.image_id.in_(images), *waiting)
    leaders = {row.image_id: row.batch_id for row in session.execute(query)}
    groups: dict[int | None, list[int]] = {}
    for image in images:
        groups.setdefault(leaders.get(image), []).append(image)
    return list(groups.items())


def _add_items(session: Session, run: RunToFill, members: Sequence[tuple[int, int]]) -> None:
    """Make a pending item for each (image, batch)."""
    member = as_table(session, "batch_members", {"image_id": BigInteger, "batch_id": BigInteger}, members).c
    values: dict[str, Any] = {
        "run_id": literal(run.id, BigInteger),
        "image_id": member.image_id,
        "batch_id": member.batch_id,
        "model_digest": literal(run.model_digest, String),
        "state": literal(ItemState.PENDING, String),
        "attempts": literal(0, Integer),
        "current": literal(False, Boolean),
    }
    items: Any = WorkItem.__table__
    session.execute(insert(items).from_select(list(values), select(*values.values())))
