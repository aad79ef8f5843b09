"""Opens a SQLite database read-only for a question, without making or writing anything.

Whoever may write the file and its folder opens it as a writer would, with writing forbidden: the files that SQLite
needs beside a database in WAL mode go again with the last connection. Opened read-only they would stay, and belong to
the one who asked: the writer could then not open its own database. So for all others: where a writer has them there,
they are read; where they are not, the file alone is whole, is read as one that does not change, and is looked at again
afterwards.
"""

from __future__ import annotations

import os
import sqlite3
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event

from schemas.errors import NoDatabase, ServiceUnavailable

PAGES_KIB = 32_768
"""Of the file's pages SQLite keeps so many KiB in memory."""

TRIES = 3
"""A writer may come or go between the look at its files and the opening."""


def make_asked_engine(file: str, wait_seconds: float) -> Engine:
    """Return an engine for questions to the database in `file`; raise NoDatabase when there is none."""
    asked = _Asked(os.path.abspath(file), wait_seconds)
    asked.stated()
    engine = create_engine("sqlite://", creator=asked.connect, poolclass=None)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "commit", lambda _connection: asked.check_unchanged())
    return engine


class _Asked:
    """Opens one file in the way that its asker's rights allow. seen: how an unchanging file looked when it was."""

    def __init__(self, file: str, wait_seconds: float) -> None:
        self.file, self.wait_seconds = file, wait_seconds
        self.seen: tuple[int, ...] | None = None

    def stated(self) -> tuple[int, ...]:
        """Return what tells whether the file was written; raise NoDatabase when there is none.

        Raises ServiceUnavailable when it cannot be looked at.
        """
        try:
            found = os.stat(self.file)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NoDatabase(
                f"no database at {self.file}: check WETREAD_HOME and WETREAD_DATABASE_URL; `wetread screen DIR` makes "
                "one, and a question never does"
            ) from error
        except OSError as error:
            raise ServiceUnavailable(
                f"expected to read the database at {self.file}, found: {error.strerror}; ask its owner for the right"
            ) from error
        return found.st_ino, found.st_size, found.st_mtime_ns

    def connect(self) -> sqlite3.Connection:
        """Open the file, and read a page of it."""
        for left in reversed(range(TRIES)):
            how = self._how()
            try:
                connection = self._open(how)
            except sqlite3.OperationalError:
                if not left:
                    raise
            else:
                return connection
        raise AssertionError  # the last try returns or raises

    def check_unchanged(self) -> None:
        """Raise ServiceUnavailable where a file that was read as one that does not change was written."""
        if self.seen is not None and self.stated() != self.seen:
            raise ServiceUnavailable(
                f"expected the database at {self.file} to stay as it was while it was read, found that it was written: "
                "what was printed may be of two states; ask again"
            )

    def _how(self) -> str:
        folder, beside = os.path.dirname(self.file), f"{self.file}-wal"
        if os.access(self.file, os.W_OK) and os.access(folder, os.W_OK | os.X_OK):
            return "mode=rw"
        waits = os.path.exists(beside) and os.path.getsize(beside) > 0
        if os.path.exists(beside) and os.path.exists(f"{self.file}-shm"):
            return "mode=ro"
        if waits:
            raise ServiceUnavailable(
                f"expected to read the database at {self.file}, found that a writer died and left {beside} without its "
                "index: one command of whoever may write there mends it, for example `wetread status`"
            )
        self.seen = self.stated()
        return "mode=ro&immutable=1"

    def _open(self, how: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(self.file)}?{how}", uri=True, timeout=self.wait_seconds, check_same_thread=False
        )
        try:
            for pragma in ("query_only = ON", f"cache_size = -{PAGES_KIB}", "temp_store = MEMORY"):
                connection.execute(f"PRAGMA {pragma}")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except BaseException:
            connection.close()
            raise
        return connection


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
