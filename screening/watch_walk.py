"""Walks a watch's roots a slice at a time, and notes directories that it cannot look into."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from producer.ingest import WalkOrder, walks
from producer.passed_over import PassedOver
from producer.walk import FoundElsewhere
from screening.watch_order import WatchOrder
from screening.watch_runs import WatchRuns
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.images.recording import FoundFile
from wetread.store.images.unread_directories import note_unread
from wetread.store.runs.lifecycle import note_walk

RESTING_SECONDS = 60.0
"""A file whose last change is older than this stands still; a younger one is looked at twice."""

SLICE_SECONDS = 0.2
"""How long a walk goes on before what happens meanwhile is looked at."""

SLICE_FILES = 2048
"""How many files are recorded at once at most: a statement takes so many values."""

Found = tuple[int, FoundFile]
"""A file, and the root that it lies under."""


@dataclass(slots=True)
class Walks:
    """A watch's walks, one after the other. begin: begins one. every: seconds from the end of one to the next."""

    begin: Callable[[], Iterator[Found]]
    every: float
    _under_way: Iterator[Found] | None = None
    _next: float = 0.0

    @property
    def is_under_way(self) -> bool:
        """Return whether a walk is not at its end yet."""
        return self._under_way is not None

    @property
    def is_whole(self) -> bool:
        """Return whether every root was walked to its end since `anew`, and no walk is under way."""
        return self._under_way is None and self._next > 0

    def anew(self) -> None:
        """Start all walks again: the last files found may not have been recorded."""
        self._under_way, self._next = None, 0.0

    def soon(self, now: float) -> None:
        """Have the next walk begin now, where none is under way."""
        self._next = now

    def begin_if_due(self, now: float) -> bool:
        """Begin the walk that is due; return whether one was."""
        if self._under_way is not None or now < self._next:
            return False
        self._under_way = self.begin()
        return True

    def some(self, now: float, young: Callable[[tuple[int, bytes]], None]) -> list[Found]:
        """Walk for a moment, and return files that stand still, about SLICE_FILES at most; `young` is told of others.

        Raises RootUnavailable.
        """
        resting: list[Found] = []
        for root, file in self._under_way or ():
            if time.time() - file.mtime_ns / 1e9 > RESTING_SECONDS:
                resting.append((root, file))
            else:
                young((root, file.path))
            if len(resting) >= SLICE_FILES or time.monotonic() - now > SLICE_SECONDS:
                return resting
        if self._under_way is not None:
            self._under_way, self._next = None, time.monotonic() + self.every
        return resting


def watch_walk(database: Database, settings: Settings, order: WatchOrder, runs: WatchRuns) -> Iterator[Found]:
    """Yield (root, file) of all that lies there; note at the end what was passed over. Raises RootUnavailable."""
    total = PassedOver(kinds=Counter())
    for walked in walks(order.roots, WalkOrder(order.rules, settings.own_paths, order.allowed, settings.image_seconds)):
        for file in walked.files:
            yield (file.root_id, file.file) if isinstance(file, FoundElsewhere) else (walked.root_id, file)
        total.add(walked.passed)
        with database.writing() as session:
            note_unread(session, runs.run.id, walked.root_id, walked.passed.unread, whole=walked.is_root)
    with database.writing() as session:
        for each in runs.each:
            note_walk(session, each.id, total.kinds, total.unread_count, walker=each.walker)
