"""Walks a root: regular files only, links never followed, memory that does not grow with the archive.

Directories are opened relative to the one above, so that a directory swapped for a link while we walk leads
nowhere, and a path of any length works. What is passed over is counted, never silently.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from schemas.errors import RootUnavailable
from wetread.store.images import FoundFile

NOT_ARCHIVE = frozenset({".snapshot", ".zfs", "@eaDir", "#recycle", "$RECYCLE.BIN", "lost+found", ".Trashes"})
"""Directories that storage systems add: older copies and thumbnails of the films beside them."""

DEPTH_LIMIT = 256
"""Directories inside one another; each open one costs a file descriptor."""

_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def walk(
    root: bytes, passed_over: Counter[str] | None = None, moved: Callable[[], None] = lambda: None
) -> Iterator[FoundFile]:
    """Yield the regular files under `root`, as the file system gives them.

    passed_over: counts by kind what is no regular file, and directories that could not be read.
    moved: called for each entry that was looked at, so that a slow file server is told from one that hangs.
    Raises RootUnavailable when the root is gone or unreadable, at the start or in the middle.
    """
    passed = Counter() if passed_over is None else passed_over
    try:
        top = os.open(root, _OPEN_DIRECTORY)
    except OSError as error:
        raise RootUnavailable(_gone(root, error)) from error
    with ExitStack() as stack:
        stack.callback(os.close, top)
        yield from _walk_directory(top, b"", passed, root, DEPTH_LIMIT, moved)


def _walk_directory(
    directory: int, prefix: bytes, passed: Counter[str], root: bytes, depth: int, moved: Callable[[], None]
) -> Iterator[FoundFile]:
    regular, encoded = stat.S_ISREG, os.fsencode  # a name looked up for each of a million files costs
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                moved()
                try:
                    found = entry.stat(follow_symlinks=False)
                except OSError as error:
                    _check_root(root, error)
                    passed["vanished"] += 1
                    continue
                if regular(found.st_mode):
                    yield FoundFile(prefix + encoded(entry.name), found.st_size, found.st_mtime_ns)
                elif _is_entered(entry, found.st_mode, passed, depth):
                    yield from _enter(
                        entry.name, directory, prefix + encoded(entry.name) + b"/", passed, root, depth - 1, moved
                    )
    except OSError as error:
        _check_root(root, error)
        passed["unreadable directory"] += 1


def _is_entered(entry: os.DirEntry[str], mode: int, passed: Counter[str], depth: int) -> bool:
    """Return whether the entry, which is no regular file, is a directory to walk; count it where it is not."""
    if not stat.S_ISDIR(mode):
        passed["link" if stat.S_ISLNK(mode) else "special file"] += 1
    elif entry.name in NOT_ARCHIVE:
        passed["storage system's directory"] += 1
    elif depth == 0:
        passed["directory too deep"] += 1
    else:
        return True
    return False


def _enter(
    name: str, directory: int, prefix: bytes, passed: Counter[str], root: bytes, depth: int, moved: Callable[[], None]
) -> Iterator[FoundFile]:
    try:
        inner = os.open(name, _OPEN_DIRECTORY, dir_fd=directory)
    except OSError as error:
        _check_root(root, error)
        passed["unreadable directory"] += 1
        return
    try:
        yield from _walk_directory(inner, prefix, passed, root, depth, moved)
    finally:
        os.close(inner)


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
