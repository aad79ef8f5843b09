"""Tells which files have stopped growing: size and time of change have stood still. Time is a parameter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from wetread.store.images.recording import FoundFile

Key = tuple[int, bytes]
"""The id of a root, and a path relative to it."""


@dataclass(slots=True)
class StillFiles:
    """Files that were seen to change. seconds: how long one has to stand still."""

    seconds: float
    _seen: dict[Key, FoundFile | None] = field(default_factory=dict)
    _due: dict[Key, float] = field(default_factory=dict)

    def note(self, key: Key, now: float) -> None:
        """Remember that something happened to a file."""
        if key not in self._due:
            self._seen[key], self._due[key] = None, now

    def ready(self, now: float, look: Callable[[Key], FoundFile | None]) -> list[tuple[int, FoundFile]]:
        """Return the files that stood still, each once. look: what a file is now; None when it is gone or no file."""
        ready = []
        for key in [key for key, due in self._due.items() if due <= now]:
            found, before = look(key), self._seen[key]
            if found is not None and found != before:
                self._seen[key], self._due[key] = found, now + self.seconds
                continue
            del self._seen[key], self._due[key]
            if found is not None:
                ready.append((key[0], found))
        return ready

    def waiting(self) -> list[Key]:
        """Return the files that have not stood still yet."""
        return list(self._due)

    def __len__(self) -> int:
        return len(self._due)


@dataclass(slots=True)
class MicroBatch:
    """Collects files until there are `size`, the first has waited `age` seconds, or readers have nothing to do."""

    size: int
    age: float
    _files: list[tuple[int, FoundFile]] = field(default_factory=list)
    _since: float = 0.0

    def add(self, files: list[tuple[int, FoundFile]], now: float) -> None:
        """Collect `files`."""
        if files and not self._files:
            self._since = now
        self._files += files

    def take(self, now: float, *, idle: bool) -> list[tuple[int, FoundFile]]:
        """Return what is due: full batches, and what is left over when it is old enough or nothing is being read."""
        if self._files and (idle or now - self._since >= self.age):
            taken, self._files = self._files, []
            return taken
        whole = len(self._files) - len(self._files) % self.size
        taken, self._files = self._files[:whole], self._files[whole:]
        if taken:
            self._since = now
        return taken

    def waiting(self) -> list[Key]:
        """Return the files that are collected, and were not taken."""
        return [(root, file.path) for root, file in self._files]

    def __len__(self) -> int:
        return len(self._files)
