"""Fills a run: records what the walks find, in transactions that start small so that workers start at once."""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Event

from producer.excluded import excluded_by
from producer.links import FollowedLinks
from producer.passed_over import PassedOver
from producer.time_limited_calls import answered_walk
from producer.walk import FoundElsewhere, walk
from schemas.errors import RootEmptied, ServiceUnavailable
from schemas.walk_rules import USUAL_WALK, WalkRules
from wetread.store.core.database import Database
from wetread.store.core.image_set import ImageSet
from wetread.store.images.recording import FoundFile, Recorded, RunToFill, record_files
from wetread.store.images.unread_directories import note_unread
from wetread.store.roots.adding import has_images
from wetread.store.runs.lifecycle import end_walk, note_walk

FIRST_CHUNK = 16
LARGEST_CHUNK = 8192
"""Files recorded in one transaction, at first and at most. Of an index over hashes each writes as many pages as it
has files, so that few large ones cost a million files less. Whoever writes too waits 0.3 s for one."""

SILENT_SECONDS = 30.0
"""Seconds without an answer after which a file server counts as hanging, where nothing else is said."""

CHUNK_SECONDS = 1.0
"""On a slow disk a chunk is recorded after this long, however small it is."""


@dataclass(slots=True)
class WalkReport:
    """What a walk over all roots found; pending and skipped are of the first run.

    complete: False when it was stopped, or when the run was cancelled or paused meanwhile.
    passed_over: by kind, what is no regular file, was left out or could not be looked at.
    """

    pending: int = 0
    skipped: int = 0
    complete: bool = False
    passed_over: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class WalkOrder:
    """How roots are walked: by `rules`, without `own`, files and folders of wetread's own that lie in a root.

    allowed: {id: path} of the roots that links may lead to beside the run's. patience: seconds that a file server may
    be silent.
    """

    rules: WalkRules = USUAL_WALK
    own: Sequence[str] = ()
    allowed: Mapping[int, bytes] = field(default_factory=dict)
    patience: float = SILENT_SECONDS


def fill_run(
    database: Database,
    run: RunToFill,
    roots: Mapping[int, bytes],
    *shadows: RunToFill,
    order: WalkOrder | None = None,
    stop: Event | None = None,
    on_recorded: Callable[[Recorded], None] | None = None,
) -> WalkReport:
    """Walk `roots` ({id: path}) once and record their files for `run`; finish the walk when all were seen.

    shadows: runs that are filled beside it with the same files, each in the same transactions as it; one that was
    ended meanwhile is filled no more. Directories that could not be looked into are written down.
    Raises RootUnavailable when a root is gone, RootSilent when its file server does not answer, and RootEmptied when it
    holds no file where films were found before: so looks a root whose mount went away. What was recorded stays, and the
    walk is not ended.
    """
    order = order or WalkOrder()
    report, filling = WalkReport(), [(each, ImageSet()) for each in (run, *shadows)]
    total = PassedOver(kinds=report.passed_over)
    for walked in walks(roots, order, stop):
        empty = True
        try:
            for root_id, chunk in _chunks(walked.root_id, walked.files):
                recorded = _record(database, filling, root_id, chunk)
                empty = False
                if (of_run := recorded.get(run.id)) is not None:
                    report.pending += of_run.pending
                    report.skipped += of_run.skipped
                    if on_recorded is not None:
                        on_recorded(of_run)
                filling = [(each, skipped) for each, skipped in filling if not recorded[each.id].run_ended]
                if (stop is not None and stop.is_set()) or not filling:
                    return report
        finally:
            total.add(walked.passed)
            _note_unread(database, run.id, walked)
        if stop is not None and stop.is_set():
            return report
        if empty and walked.is_root and not walked.passed.says_why_nothing_was_found:
            _check_never_held_films(database, walked.root_id, roots[walked.root_id])
        if walked.is_root:
            with database.writing() as session:
                note_unread(session, run.id, walked.root_id, walked.passed.unread, whole=True)
    with database.writing() as session:
        note, unread = total.note(), total.unread_count
        for each, _ in filling:
            note_walk(session, each.id, total.kinds, unread, walker=each.walker)
        ended = {each.id: end_walk(session, each.id, note, walker=each.walker) for each, _ in filling}
    report.complete = ended.get(run.id, False)
    return report


def _note_unread(database: Database, run_id: int, walked: Walked) -> None:
    if walked.passed.unread:
        with suppress(ServiceUnavailable), database.writing() as session:  # the walk's own fault comes first
            note_unread(session, run_id, walked.root_id, walked.passed.unread, whole=False)


@dataclass(frozen=True, slots=True)
class Walked:
    """One root, or a directory that links led to: its files, and what is passed over as they are taken."""

    root_id: int
    files: Iterable[FoundFile | FoundElsewhere]
    passed: PassedOver
    is_root: bool


def walks(roots: Mapping[int, bytes], order: WalkOrder, stop: Event | None = None) -> Iterator[Walked]:
    """Yield a walk of each root, and then of each directory that links led to; take its files before the next.

    stop: when it is set a walk gives nothing more. The walks raise RootUnavailable, and RootSilent.
    """
    excluded = excluded_by(order.rules.exclude)
    links = FollowedLinks(roots, order.allowed, excluded) if order.rules.follow_links else None
    for root_id, path in roots.items():
        passed = PassedOver()
        walking = partial(walk, path, passed, excluded=excluded, links=links)
        files = answered_walk(walking, order.patience, stop)
        yield Walked(root_id, _without(inside(order.own, path), files, passed), passed, is_root=True)
    while links is not None and links.directories:
        root_id, start = links.directories.popleft()
        path, passed = order.allowed[root_id], PassedOver()
        walking = partial(walk, path, passed, start=start, excluded=links.left_out(root_id), links=links)
        files = answered_walk(walking, order.patience, stop)
        yield Walked(root_id, _without(inside(order.own, path), files, passed), passed, is_root=False)


def _record(
    database: Database, filling: Sequence[tuple[RunToFill, ImageSet]], root_id: int, chunk: Sequence[FoundFile]
) -> dict[int, Recorded]:
    """Record `chunk` for all runs in one transaction; one that has ended meanwhile takes back none of the others."""
    recorded: dict[int, Recorded] = {}
    waiting = deque(filling)
    while waiting:
        with database.writing() as session:
            ended = False
            while waiting and not ended:
                run, skipped = waiting.popleft()
                recorded[run.id] = record_files(session, run, root_id, chunk, skipped)
                ended = recorded[run.id].run_ended  # its transaction may be rolled back already
    return recorded


def _check_never_held_films(database: Database, root_id: int, path: bytes) -> None:
    with database.reading() as session:
        held_films = has_images(session, root_id)
    if held_films:
        raise RootEmptied(
            f"expected films under {os.fsdecode(path)!r}, where there were some, found none; mount it, then run the "
            "same command"
        )


def inside(own: Sequence[str], root: bytes) -> list[bytes]:
    """Return those of `own` that lie in `root`, relative to it."""
    prefix = root.rstrip(b"/") + b"/"
    real = (os.path.realpath(os.fsencode(path)) for path in own)
    return [path.removeprefix(prefix) for path in real if path.startswith(prefix)]


def _without(
    own: Sequence[bytes], files: Iterable[FoundFile | FoundElsewhere], passed: PassedOver
) -> Iterable[FoundFile | FoundElsewhere]:
    """Return `files` but those that are, or lie in, one of `own`: our database changes while we look at it."""
    if not own:
        return files
    return (file for file in files if isinstance(file, FoundElsewhere) or not _counted(own, file.path, passed))


def lies_in(own: Sequence[bytes], path: bytes) -> bool:
    """Return whether `path` is, or lies in, one of `own`."""
    return any(path == name or path.startswith(name + b"/") for name in own)


def _counted(own: Sequence[bytes], path: bytes, passed: PassedOver) -> bool:
    if not lies_in(own, path):
        return False
    passed.kinds["file of wetread's own"] += 1
    return True


def _chunks(root_id: int, files: Iterable[FoundFile | FoundElsewhere]) -> Iterator[tuple[int, list[FoundFile]]]:
    """Yield `files` in lists of one root each, which double in length from FIRST_CHUNK to LARGEST_CHUNK."""
    size, chunk, started = FIRST_CHUNK, list[FoundFile](), time.monotonic()
    elsewhere: dict[int, list[FoundFile]] = {}
    waiting = 0
    for file in files:
        if isinstance(file, FoundElsewhere):
            elsewhere.setdefault(file.root_id, []).append(file.file)
        else:
            chunk.append(file)
        waiting += 1
        if waiting >= size or time.monotonic() - started > CHUNK_SECONDS:
            if chunk:
                yield root_id, chunk
            yield from elsewhere.items()
            size, chunk, started, elsewhere = min(size * 2, LARGEST_CHUNK), [], time.monotonic(), {}
            waiting = 0
    if chunk:
        yield root_id, chunk
    yield from elsewhere.items()
