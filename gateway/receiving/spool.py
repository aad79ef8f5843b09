"""The spool: where received films lie, each under the SHA-256 of its bytes, and where they are written first.

    SPOOL/incoming/     files that are being received; nothing is promised of them
    SPOOL/fetching/     the same of what is fetched
    SPOOL/films/ab/     whole films, abc….dcm; the archive's root that runs read
    SPOOL/lock          held by the one receiver that writes here
    SPOOL/fetching.lock held by the one that fetches into it
    SPOOL/places.lock   held while a film is put in its place, since both may have the same one

A film's name follows from its bytes, so that one which comes again lies where it did, and another under the same SOP
instance has a place of its own: nothing is ever overwritten by anything else.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count

from schemas.errors import UsageError

INCOMING, FETCHING, FILMS = b"incoming", b"fetching", b"films"
LOCKS = {INCOMING: b"lock", FETCHING: b"fetching.lock"}
PLACES = b"places.lock"
_FILM = re.compile(rb"([0-9a-f]{64})\.dcm")
_PART = b".part"
_DIRECTORY_MODE, _FILE_MODE = 0o750, 0o640


@dataclass(frozen=True, slots=True)
class SpooledFilm:
    """A film in its place: its path relative to the films' directory, size in bytes, time of change, SHA-256."""

    path: bytes
    size: int
    mtime_ns: int
    sha256: str


class Spool:
    """The directories under `directory`, which are made where they are missing.

    area: where films are written first, INCOMING or FETCHING. Raises UsageError where the directories cannot be.
    """

    def __init__(self, directory: bytes, area: bytes = INCOMING) -> None:
        self.directory = os.path.abspath(directory)
        self.films = os.path.join(self.directory, FILMS)
        self._incoming = os.path.join(self.directory, area)
        self._numbers = count()
        self._unsettled: Counter[bytes] = Counter()
        self._lock_of_places = threading.Lock()
        try:
            for path in (self.directory, self.films, self._incoming):
                os.makedirs(path, mode=_DIRECTORY_MODE, exist_ok=True)
            self._lock, self._places = (
                os.open(os.path.join(self.directory, name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE)
                for name in (LOCKS[area], PLACES)
            )
            for number in range(256):
                os.makedirs(os.path.join(self.films, b"%02x" % number), mode=_DIRECTORY_MODE, exist_ok=True)
            sync_directory(self.films)
            sync_directory(self.directory)
        except OSError as error:
            raise UsageError(
                f"expected a directory to keep films in, found: {error.strerror}; name another by --spool"
            ) from error

    def hold(self) -> None:
        """Take the area's lock, until `close`; raise UsageError where another process has it."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(
                "expected a spool of our own, found another `wetread listen` or `pull` that writes there; name another "
                "by --spool"
            ) from error

    def close(self) -> None:
        """Give up the locks."""
        os.close(self._lock)
        os.close(self._places)

    def begin(self) -> Part:
        """Begin a file; raise OSError where the disk does not let us."""
        name = os.path.join(self._incoming, b"%d-%d%b" % (os.getpid(), next(self._numbers), _PART))
        return Part(self, name)

    def remove_parts(self) -> int:
        """Remove what was being received when an earlier process ended; return how many files that were."""
        removed = 0
        with os.scandir(self._incoming) as entries:
            for entry in entries:
                if entry.name.endswith(_PART):
                    os.unlink(entry.path)
                    removed += 1
        return removed

    def listed(self) -> Iterator[bytes]:
        """Yield the paths, relative to the films' directory, of the films that lie there."""
        for number in range(256):
            folder = b"%02x" % number
            with os.scandir(os.path.join(self.films, folder)) as entries:
                yield from (os.path.join(folder, entry.name) for entry in entries if _FILM.fullmatch(entry.name))

    def unsettled(self) -> set[bytes]:
        """Return the paths of films that were put in their place and are not recorded yet, nor given up."""
        with self._lock_of_places:
            return set(self._unsettled)

    @contextmanager
    def placing(self, path: bytes) -> Iterator[bytes]:
        """Give the place of a film, one at a time; it is unsettled from before it lies there."""
        with self._lock_of_places:
            self._unsettled[path] += 1
            try:
                fcntl.flock(self._places, fcntl.LOCK_EX)
                yield os.path.join(self.films, path)
            except OSError:
                self._settled(path)
                raise
            finally:
                fcntl.flock(self._places, fcntl.LOCK_UN)

    def settle(self, path: bytes) -> None:
        """Say that a film which was put in its place is recorded, or given up."""
        with self._lock_of_places:
            self._settled(path)

    def _settled(self, path: bytes) -> None:
        self._unsettled[path] -= 1
        if self._unsettled[path] <= 0:
            del self._unsettled[path]

    def has(self, path: bytes) -> bool:
        """Return whether a film lies there."""
        return os.path.lexists(os.path.join(self.films, path))

    def free(self) -> tuple[int, float]:
        """Return the bytes that are free for us, and their share of the disk."""
        found = os.statvfs(self.films)
        return found.f_bavail * found.f_frsize, found.f_bavail / max(1, found.f_blocks)


def is_listening(directory: bytes) -> bool:
    """Return whether a receiver writes this spool."""
    try:
        lock = os.open(os.path.join(directory, LOCKS[INCOMING]), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


def film_path(sha256: str) -> bytes:
    """Return the place of a film with these bytes, relative to the films' directory."""
    return f"{sha256[:2]}/{sha256}.dcm".encode()


def named_digest(path: bytes) -> str:
    """Return the SHA-256 that a film's name states."""
    return os.path.basename(path)[:64].decode()


def sync_directory(path: bytes) -> None:
    """Have the names in a directory outlast a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Part:
    """A file that is being received: written, hashed as it is, then put in its place or removed.

    Methods raise OSError where the disk does not take it.
    """

    def __init__(self, spool: Spool, path: bytes) -> None:
        self._spool, self._path = spool, path
        self._hash = hashlib.sha256()
        self.size = 0
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)

    def write(self, part: bytes | memoryview) -> None:
        """Add `part`."""
        self._hash.update(part)
        view = memoryview(part)
        while view:
            written = os.write(self.descriptor, view)
            if not written:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            view = view[written:]
            self.size += written

    def sync(self) -> None:
        """Have the bytes outlast a power cut."""
        os.fsync(self.descriptor)

    def place(self) -> SpooledFilm:
        """Put the file where its bytes belong; its directory is yet to be synced, and the film to be settled."""
        digest = self._hash.hexdigest()
        path = film_path(digest)
        with self._spool.placing(path) as target:
            # What lies there already may not be what its name says, after a power cut or by another's hand; this is.
            # It keeps the time that runs know the film by.
            with suppress(FileNotFoundError):
                os.utime(self.descriptor, ns=(time.time_ns(), os.stat(target).st_mtime_ns))
                os.fsync(self.descriptor)
            found = os.fstat(self.descriptor)
            os.rename(self._path, target)
        self._close()
        return SpooledFilm(path, self.size, found.st_mtime_ns, digest)

    def abandon(self) -> None:
        """Remove it."""
        with suppress(OSError):
            os.unlink(self._path)
        self._close()

    def _close(self) -> None:
        with suppress(OSError):
            os.close(self.descriptor)
        self.descriptor = -1
