"""The file of a SQLite database: made for its owner alone, and checked to be the same file while it is open.

SQLite goes on writing to a file that was removed or replaced, and nobody would ever read what it wrote. So what is
open is compared with what its path names, by device and inode, around every transaction.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress

from schemas.errors import DatabaseReplaced

BESIDE = ("-wal", "-shm")
"""Files that belong to it while it is open, and hold what was committed last."""

_Identity = tuple[int, int]


class SqliteFile:
    """The file at `path`, and those beside it, as they were when this process opened them."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._itself: _Identity | None = None
        self._beside: dict[str, _Identity] = {}
        self._connections = 0
        self._counting = threading.Lock()

    def make(self) -> None:
        """Make the file if it does not exist, readable by its owner alone; an existing file keeps its rights.

        It names paths, which can hold patients' names. SQLite gives the files beside it the same rights. Raises
        DatabaseReplaced where the one that was open is gone.
        """
        self.check()
        if self._itself is None:
            with suppress(OSError):  # there, or not to be made: SQLite says so itself
                os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            self._itself = _identity(self._path)  # before SQLite opens it: another that comes between is noticed

    def opened(self) -> None:
        """Note what a new connection has opened."""
        with self._counting:
            self._connections += 1
            if not self._beside:
                found = {name: _identity(self._path + name) for name in BESIDE}
                self._beside = {name: identity for name, identity in found.items() if identity is not None}

    def closed(self) -> None:
        """Note that a connection is closed: with the last one SQLite removes what lies beside."""
        with self._counting:
            self._connections = max(0, self._connections - 1)
            if not self._connections:
                self._beside = {}

    def check(self) -> None:
        """Raise DatabaseReplaced unless the path names what is open."""
        if self._itself is not None and _identity(self._path) != self._itself:
            raise DatabaseReplaced(
                f"expected the database that was opened at {self._path}, found it removed or replaced: what was "
                "written since is lost. Put it back, or restore a backup while nothing runs, then run the same command"
            )
        for name, identity in tuple(self._beside.items()):
            if _identity(self._path + name) != identity and self._beside.get(name) == identity:
                raise DatabaseReplaced(
                    f"expected {self._path}{name} beside the database, found it removed or replaced: what was written "
                    "last is lost, and the database may be damaged. Stop all that uses it, check it with "
                    "`PRAGMA integrity_check` or restore a backup, then run the same command"
                )


def _identity(path: str) -> _Identity | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
