"""Fills a run: what the walks find is recorded in transactions that start small, so that workers start at once."""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event

from producer.answering import answered_walk
from schemas.errors import RootEmptied
from wetread.store.database import Database
from wetread.store.image_set import ImageSet
from wetread.store.images import FoundFile, Recorded, RunToFill, has_images, record_files
from wetread.store.runs import end_walk

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
    passed_over: by kind, what is no regular file or could not be looked at.
    """

    pending: int = 0
    skipped: int = 0
    complete: bool = False
    passed_over: Counter[str] = field(default_factory=Counter)


def fill_run(
    database: Database,
    run: RunToFill,
    roots: Mapping[int, bytes],
    *shadows: RunToFill,
    own: Sequence[str] = (),
    stop: Event | None = None,
    patience: float = SILENT_SECONDS,
    on_recorded: Callable[[Recorded], None] | None = None,
) -> WalkReport:
    """Walk `roots` ({id: path}) once and record their files for `run`; finish the walk when all were seen.

    shadows: runs that are filled beside it with the same files, each in the same transactions as it; one that was
    ended meanwhile is filled no more.
    own: files and folders of wetread's own, which are passed over where they lie in a root.
    patience: seconds that a file server may be silent.
    Raises RootUnavailable when a root is gone, RootSilent when its file server does not answer, and RootEmptied when it
    holds no file where films were found before: so looks a root whose mount went away. What was recorded stays, and the
    walk is not ended.
    """
    report, filling = WalkReport(), [(each, ImageSet()) for each in (run, *shadows)]
    for root_id, path in roots.items():
        walked = answered_walk(path, report.passed_over, patience, stop)
        found, empty = _without(inside(own, path), walked, report.passed_over), True
        for chunk in _chunks(found):
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
        if stop is not None and stop.is_set():
            return report
        if empty:
            _check_never_held_films(database, root_id, path)
    with database.writing() as session:
        note = _note(report.passed_over)
        ended = {each.id: end_walk(session, each.id, note, walker=each.walker) for each, _ in filling}
    report.complete = ended.get(run.id, False)
    return report


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


def files_of(root: bytes, own: Sequence[str], patience: float = SILENT_SECONDS) -> Iterable[FoundFile]:
    """Return the files under `root` without those of `own`; raise RootUnavailable when it is gone or silent."""
    passed_over: Counter[str] = Counter()
    return _without(inside(own, root), answered_walk(root, passed_over, patience), passed_over)


def inside(own: Sequence[str], root: bytes) -> list[bytes]:
    """Return those of `own` that lie in `root`, relative to it."""
    prefix = root.rstrip(b"/") + b"/"
    real = (os.path.realpath(os.fsencode(path)) for path in own)
    return [path.removeprefix(prefix) for path in real if path.startswith(prefix)]


def _without(own: Sequence[bytes], files: Iterable[FoundFile], passed_over: Counter[str]) -> Iterable[FoundFile]:
    """Return `files` but those that are, or lie in, one of `own`: our database changes while we look at it."""
    return (file for file in files if not _counted(own, file.path, passed_over)) if own else files


def lies_in(own: Sequence[bytes], path: bytes) -> bool:
    """Return whether `path` is, or lies in, one of `own`."""
    return any(path == name or path.startswith(name + b"/") for name in own)


def _counted(own: Sequence[bytes], path: bytes, passed_over: Counter[str]) -> bool:
    if not lies_in(own, path):
        return False
    passed_over["file of wetread's own"] += 1
    return True


def _chunks(files: Iterable[FoundFile]) -> Iterator[list[FoundFile]]:
    """Yield `files` in lists that double in length from FIRST_CHUNK to LARGEST_CHUNK."""
    size, chunk, started = FIRST_CHUNK, list[FoundFile](), time.monotonic()
    for file in files:
        chunk.append(file)
        if len(chunk) >= size or time.monotonic() - started > CHUNK_SECONDS:
            yield chunk
            size, chunk, started = min(size * 2, LARGEST_CHUNK), [], time.monotonic()
    if chunk:
        yield chunk


def _note(passed_over: Counter[str]) -> str | None:
    unseen = {
        kind: count for kind, count in passed_over.items() if kind in ("unreadable directory", "directory too deep")
    }
    if not unseen:
        return None
    return "not looked into: " + ", ".join(f"{count} {kind}" for kind, count in sorted(unseen.items()))
