"""Opens and reads one regular file under an archive's root, following no link below the root.

Paths are bytes, as the file system gives them. Every directory on the way and the file itself are opened
relative to the one before, without following links; only a regular file is read, and only if it did not
change meanwhile. An archive that is gone is told apart from a file that is gone: the first stops the run,
the second is one image's misfortune.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from schemas.errors import Rejected, RootUnavailable
from schemas.films import FILE_BYTES_LIMIT
from schemas.reasons import Reason
from wetread.clock import kept_ns

FRESH_SECONDS = 0.02
"""Seconds after a change in which a file is not read: a write sets the times as it begins, some systems to 10 ms
only, so that one that goes on, or comes right after it, would leave them as they are."""

MOUTHFUL = 2**23
"""Bytes that are asked for at once: most films are smaller, and of a larger one is seen that it comes."""

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# O_NONBLOCK: a FIFO that takes a file's place between the look and the open must not block the worker.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_PERMISSION = frozenset({errno.EACCES, errno.EPERM})
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR})


@dataclass(frozen=True, slots=True)
class SteadyBytes:
    """One file's bytes, which did not change while they were read, with its size in bytes and its time of change.

    mtime_ns: as `wetread.clock.kept_ns` has it.
    """

    data: bytes = field(repr=False)
    size: int
    mtime_ns: int

    def hashed(self) -> FileBytes:
        """Return the same with its SHA-256."""
        return FileBytes(self.data, self.size, self.mtime_ns, hashlib.sha256(self.data).hexdigest())


@dataclass(frozen=True, slots=True)
class FileBytes:
    """One file's bytes, with its size in bytes, its time of change and its SHA-256 in hexadecimal."""

    data: bytes = field(repr=False)
    size: int
    mtime_ns: int
    sha256: str


def read_file(root: bytes, relative: bytes, byte_limit: int = FILE_BYTES_LIMIT) -> FileBytes:
    """Read the regular file `relative` under the directory `root` and hash it; raises what `read_steady` raises."""
    return read_steady(root, relative, byte_limit).hashed()


def read_steady(
    root: bytes, relative: bytes, byte_limit: int = FILE_BYTES_LIMIT, moved: Callable[[], None] = lambda: None
) -> SteadyBytes:
    """Read the regular file `relative` under the directory `root`.

    moved: called as bytes come, so that a file server that is slow is told from one that does not answer.
    Raises RootUnavailable when the root is missing, unreadable, not a directory, or, where the file is
    missing too, empty: that is what an archive looks like after its mount went away. Raises Rejected with
    VANISHED, PERMISSION, IO_ERROR, NOT_A_FILE (a link, a directory, a device, or a path that is not plainly
    below the root), TOO_LARGE (more than `byte_limit` bytes) or CHANGED (written to during both tries).
    """
    parts = _checked_parts(relative)
    try:
        for _ in range(2):
            if (read := _read_once(root, parts, byte_limit, moved)) is not None:
                return read
        return _changed()
    except OSError as error:
        check_root(root, must_hold_entries=error.errno in _GONE)
        raise Rejected(*_reason(error)) from error


def check_root(root: bytes, *, must_hold_entries: bool = False) -> None:
    """Raise RootUnavailable unless `root` is a directory that can be listed (and holds an entry, if asked)."""
    with _opened_root(root) as descriptor:
        try:
            with os.scandir(descriptor) as entries:
                empty = next(entries, None) is None
        except OSError as error:
            raise _root_unavailable(error) from error
    if empty and must_hold_entries:
        raise RootUnavailable("expected files under the archive's root, found it empty: is it mounted?")


def _checked_parts(relative: bytes) -> list[bytes]:
    parts = relative.split(b"/")
    if b"\0" in relative or any(part in (b"", b".", b"..") for part in parts):
        raise Rejected(Reason.NOT_A_FILE, "expected a plain path below the root, found one with '', '.', '..' or NUL")
    return parts


def _read_once(root: bytes, parts: list[bytes], byte_limit: int, moved: Callable[[], None]) -> SteadyBytes | None:
    """Return the file, or None when it changed while it was read."""
    with _opened_root(root) as root_descriptor, _opened_file(root_descriptor, parts) as descriptor:
        before = _status_when_quiet(descriptor)
        if before is None:
            return None
        if not stat.S_ISREG(before.st_mode):
            raise Rejected(Reason.NOT_A_FILE, "expected a regular file, found something else in its place")
        if before.st_size > byte_limit:
            raise Rejected(Reason.TOO_LARGE, f"expected at most {byte_limit} bytes, found {before.st_size}")
        # One byte more than there should be, so that a file that grows is noticed and never read without end.
        data = _read_up_to(descriptor, before.st_size + 1, moved)
        after = os.fstat(descriptor)
    if _version(before) != _version(after) or len(data) != before.st_size:
        return None
    return SteadyBytes(data, before.st_size, kept_ns(before.st_mtime_ns))


def _status_when_quiet(descriptor: int) -> os.stat_result | None:
    """Return the file's status once its last change is FRESH_SECONDS old, or None when it is changed meanwhile."""
    status = os.fstat(descriptor)
    age = time.time() - status.st_ctime
    if not 0 <= age < FRESH_SECONDS:  # below 0 where a file server's clock is ahead of ours
        return status
    time.sleep(FRESH_SECONDS - age)
    later = os.fstat(descriptor)
    return later if _version(later) == _version(status) else None


def _version(status: os.stat_result) -> tuple[int, int, int]:
    """Return what a write changes; a program that sets the time of its copy back does not set back the last of them."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _changed() -> SteadyBytes:
    raise Rejected(
        Reason.CHANGED, "the file was written to while it was read, twice; it is tried again by the next run"
    )


@contextmanager
def _opened_root(root: bytes) -> Iterator[int]:
    try:
        descriptor = os.open(root, _DIRECTORY)
    except OSError as error:
        raise _root_unavailable(error) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _opened_file(root_descriptor: int, parts: list[bytes]) -> Iterator[int]:
    *directories, name = parts
    held: list[int] = []
    try:
        parent = root_descriptor
        for directory in directories:
            parent = os.open(directory, _DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
            held.append(parent)
        # Looked at before it is opened: opening a device can already do something.
        if not stat.S_ISREG(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            raise Rejected(Reason.NOT_A_FILE, "expected a regular file, found a link, a directory or a device")
        held.append(os.open(name, _FILE, dir_fd=parent))
        yield held[-1]
    finally:
        for descriptor in held:
            os.close(descriptor)


def _read_up_to(descriptor: int, count: int, moved: Callable[[], None]) -> bytes:
    chunks = []
    while count > 0 and (chunk := os.read(descriptor, min(count, MOUTHFUL))):
        moved()
        chunks.append(chunk)
        count -= len(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _reason(error: OSError) -> tuple[Reason, str]:
    what = os.strerror(error.errno or errno.EIO)
    if error.errno in _PERMISSION:
        return Reason.PERMISSION, f"the file or a directory above it cannot be opened: {what}"
    if error.errno == errno.ENOENT:
        return Reason.VANISHED, "the file is no longer there"
    if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.ENXIO):
        return Reason.NOT_A_FILE, f"the path leads through a link or something that is no directory: {what}"
    return Reason.IO_ERROR, f"the file could not be read: {what}"


def _root_unavailable(error: OSError) -> RootUnavailable:
    return RootUnavailable(
        f"expected the archive's root to be a readable directory, found: {os.strerror(error.errno or errno.EIO)}; "
        "mount it or correct its permissions, then run the same command again"
    )
