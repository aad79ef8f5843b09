"""Walks a root for regular files, in memory that does not grow with the archive; links are followed only on request.

Directories are opened relative to the one above, so that a directory swapped for a link while we walk leads
nowhere, and a path of any length works. What is passed over is counted, never silently, and what could not be looked
into is named.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from producer.excluded import Excluded
from producer.passed_over import EXCLUDED, LINK, TOO_DEEP, PassedOver
from schemas.errors import RootUnavailable
from wetread.clock import EARLIEST_NS, LATEST_NS, kept_ns
from wetread.store.images.recording import FoundFile

NOT_ARCHIVE = frozenset({".snapshot", ".zfs", "@eaDir", "#recycle", "$RECYCLE.BIN", "lost+found", ".Trashes"})
"""Directories that storage systems add: older copies and thumbnails of the films beside them."""

DEPTH_LIMIT = 256
"""Directories inside one another; each open one costs a file descriptor."""

_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR})


class FoundElsewhere(NamedTuple):
    """A regular file that a link led to: the root that it lies in, and the file by its real path there."""

    root_id: int
    file: FoundFile


class Links(Protocol):
    """Tells where links lead, if links are followed."""

    def follow(self, link: bytes, passed: PassedOver) -> FoundElsewhere | None:
        """Return the file that the link at this absolute path leads to; a directory is kept, to be walked later."""


def walk(
    root: bytes,
    passed_over: PassedOver | None = None,
    moved: Callable[[], None] = lambda: None,
    *,
    start: bytes = b"",
    excluded: Excluded | None = None,
    links: Links | None = None,
) -> Iterator[FoundFile | FoundElsewhere]:
    """Yield the regular files under `root`, as the file system gives them.

    passed_over: told what is no regular file, and which directories could not be read. moved: called for each entry
    that was looked at, so that a slow file server is told from one that hangs. start: a directory of the root
    to begin at, by its path without links. excluded: what is left out. links: without it no link is followed.
    Raises RootUnavailable when the root is gone or unreadable, at the start or in the middle.
    """
    walking = _Walking(root, PassedOver() if passed_over is None else passed_over, moved, excluded, links)
    with ExitStack() as stack:
        try:
            directory = os.open(root, _OPEN_DIRECTORY)
        except OSError as error:
            raise RootUnavailable(_gone(root, error)) from error
        stack.callback(os.close, directory)
        for part in start.split(b"/") if start else ():
            try:
                directory = os.open(part, _OPEN_DIRECTORY, dir_fd=directory)
            except OSError as error:
                walking.could_not_look(start, error)
                return
            stack.callback(os.close, directory)
        yield from walking.directory(directory, start and start + b"/", DEPTH_LIMIT)


def files_under(root: bytes, *, start: bytes = b"", excluded: Excluded | None = None) -> Iterator[FoundFile]:
    """Yield the regular files under `root` without following links; takes and raises what `walk` does."""
    for file in walk(root, start=start, excluded=excluded):
        if isinstance(file, FoundFile):
            yield file


def found_file(path: bytes, status: os.stat_result) -> FoundFile:
    """Return the file at `path`, relative to its root, as its status says that it is."""
    return FoundFile(path, status.st_size, kept_ns(status.st_mtime_ns))


@dataclass(frozen=True, slots=True)
class _Walking:
    root: bytes
    passed: PassedOver
    moved: Callable[[], None]
    excluded: Excluded | None
    links: Links | None

    def directory(self, directory: int, prefix: bytes, depth: int) -> Iterator[FoundFile | FoundElsewhere]:
        regular, encoded, excluded = stat.S_ISREG, os.fsencode, self.excluded  # looked up for each of a million files
        moved = self.moved
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    moved()
                    try:
                        found = entry.stat(follow_symlinks=False)
                    except OSError as error:
                        self._not_seen(prefix, error)
                        continue
                    path = prefix + encoded(entry.name)
                    if excluded is not None and excluded(path, stat.S_ISDIR(found.st_mode)):
                        self.passed.kinds[EXCLUDED] += 1
                    elif regular(found.st_mode):
                        time = found.st_mtime_ns
                        if not EARLIEST_NS <= time <= LATEST_NS:
                            time = kept_ns(time)
                            self.passed.odd_times += 1
                        yield FoundFile(path, found.st_size, time)
                    elif stat.S_ISLNK(found.st_mode):
                        if (elsewhere := self._follow(path)) is not None:
                            yield elsewhere
                    elif self._is_entered(entry.name, path, found.st_mode, depth):
                        yield from self._enter(entry.name, directory, path, depth - 1)
        except OSError as error:
            self.could_not_look(prefix.rstrip(b"/"), error)

    def could_not_look(self, path: bytes, error: OSError) -> None:
        """Note a directory that could not be read; raise RootUnavailable when the fault is the whole root's."""
        _check_root(self.root, error)
        self.passed.could_not_look(path, os.strerror(error.errno or errno.EIO))

    def _not_seen(self, prefix: bytes, error: OSError) -> None:
        """Note an entry that was listed and cannot be looked at: it is gone, or its directory may not be searched."""
        if error.errno in _GONE:
            _check_root(self.root, error)
            self.passed.kinds["vanished"] += 1
        else:
            self.could_not_look(prefix.rstrip(b"/"), error)

    def _is_entered(self, name: str, path: bytes, mode: int, depth: int) -> bool:
        """Return whether the entry, which is no regular file, is a directory to walk; count it where it is not."""
        if not stat.S_ISDIR(mode):
            self.passed.kinds["special file"] += 1
        elif name in NOT_ARCHIVE:
            self.passed.kinds["storage system's directory"] += 1
        elif depth == 0:
            self.passed.could_not_look(path, f"more than {DEPTH_LIMIT} directories inside one another", TOO_DEEP)
        else:
            return True
        return False

    def _enter(self, name: str, above: int, path: bytes, depth: int) -> Iterator[FoundFile | FoundElsewhere]:
        try:
            inner = os.open(name, _OPEN_DIRECTORY, dir_fd=above)
        except OSError as error:
            if error.errno == errno.ENOENT:
                self._not_seen(path, error)
            else:
                self.could_not_look(path, error)
            return
        try:
            yield from self.directory(inner, path + b"/", depth)
        finally:
            os.close(inner)

    def _follow(self, path: bytes) -> FoundElsewhere | None:
        if self.links is not None:
            return self.links.follow(os.path.join(self.root, path), self.passed)
        self.passed.kinds[LINK] += 1
        return None


def _check_root(root: bytes, error: OSError) -> None:
    """Raise RootUnavailable when the fault is the whole root's, not one entry's."""
    try:
        os.stat(root)
        with os.scandir(root) as entries:
            next(entries, None)
    except OSError as fault:
        raise RootUnavailable(_gone(root, fault)) from error


def _gone(root: bytes, error: OSError) -> str:
    return (
        f"expected the archive at {os.fsdecode(root)!r}, found: {error.strerror}; mount it or mend its permissions, "
        "then run the same command: it goes on where it stopped"
    )


def is_empty(path: bytes) -> bool:
    """Return whether a root holds nothing at all; raise RootUnavailable when it cannot be looked into."""
    try:
        with os.scandir(path) as entries:
            return next(entries, None) is None
    except OSError as error:
        raise RootUnavailable(
            f"expected to read the archive at {os.fsdecode(path)!r}, found: {error.strerror}; mend its permissions, or "
            "mount it, then run the same command"
        ) from error
