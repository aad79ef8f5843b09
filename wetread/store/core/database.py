"""A database and its transactions: SQLite for one machine, PostgreSQL for many."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from schemas.errors import ServiceUnavailable, UsageError
from wetread.store.core import limits
from wetread.store.core.database_faults import READ_ONLY, named
from wetread.store.core.limits import WaitLimits
from wetread.store.core.postgres import make_postgres_engine
from wetread.store.core.read_only_sqlite import make_asked_engine
from wetread.store.core.sqlite_file import SqliteFile

SQLITE_WAIT_MS = 60_000
"""Milliseconds that a SQLite connection waits for another's write."""


class Database:
    """Hands out transactions; a transaction that ends in an exception is rolled back.

    Transactions that write begin as writers (BEGIN IMMEDIATE on SQLite), so that one never has to be
    given up half way because another wrote first. What the driver raises inside one comes out as an error of ours:
    ServiceUnavailable where waiting helps. How long PostgreSQL is waited for: `wetread.store.core.limits`.

    by_index: for whoever looks up few rows at a time in tables that grow, as a worker does: PostgreSQL's planner then
    takes a sequential scan only where it has no other plan (enable_seqscan = off); where no index serves, a table is
    read whole still. The checks of foreign keys keep a plan that was made while a table was empty until that is
    analysed: in a new database each batch took longer to settle than the one before.
    writes: what one statement of a writing transaction may take.
    durable: what is committed outlasts a power cut, for whoever promises it to others: SQLite syncs its log at each
    commit. Without, the last commits may be missing then. PostgreSQL does as its server is set.
    asked: for a question: nothing is made or written, neither a file nor a row, and whoever may only read can ask.
    Raises NoDatabase when there is none.
    """

    def __init__(
        self,
        url: str,
        *,
        by_index: bool = False,
        writes: WaitLimits = limits.WRITING,
        asked: bool = False,
        durable: bool = False,
    ) -> None:
        self.url = url
        self.asked = asked
        self._writes = writes
        self._file: SqliteFile | None = None
        self._engine = _make_engine(url, by_index=by_index, asked=asked, durable=durable)
        if self.dialect == "sqlite" and not asked:
            self._file = _watched_file(self._engine)
        driver = self._engine.dialect.loaded_dbapi
        self._faults = (DBAPIError, PoolTimeout, PendingRollbackError, driver.Error)

    @property
    def dialect(self) -> str:
        """Return "sqlite" or "postgresql"."""
        return self._engine.dialect.name

    @contextmanager
    def writing(self, kind: WaitLimits | None = None) -> Iterator[Session]:
        """Give a session; commit at the end. kind: `limits.LONG` where one statement may take hours."""
        writer = self._of(kind or self._writes, wetread_begins_late=True)
        with self._named_faults(), Session(writer) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that sees one state of the database and writes nothing."""
        reader = self._of(limits.READING, wetread_reads=True, wetread_begins_late=True)
        with self._named_faults(), Session(reader) as session, session.begin():
            yield session

    @contextmanager
    def connecting(self) -> Iterator[Connection]:
        """Give a bare connection in a writing transaction; migrations use it."""
        with self._named_faults(), self._of(limits.LONG).begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _of(self, kind: WaitLimits, **options: bool) -> Engine:
        return self._engine.execution_options(wetread_limits=kind, **options)

    @contextmanager
    def _named_faults(self) -> Iterator[None]:
        try:
            self._check_file()
            yield
            self._check_file()
        except self._faults as error:
            self._check_file()
            original = getattr(error, "orig", None) or error
            if getattr(original, "sqlstate", None) == READ_ONLY and not self.asked:
                self._engine.dispose()  # of several hosts another one may be the one that writes by now
            broken = getattr(error, "connection_invalidated", False)
            raise named(error, self.url, self._forbids_writing, away=broken) from error

    def _forbids_writing(self) -> bool:
        """Return whether PostgreSQL refuses every write of this role, though the server is no standby."""
        if self.asked:
            return True
        asked = "SELECT NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only')::bool"
        try:
            with self._of(limits.READING, wetread_reads=True).begin() as connection:
                return bool(connection.execute(text(asked)).scalar())
        except self._faults:
            return False

    def _check_file(self) -> None:
        """Raise DatabaseReplaced where SQLite's file is not the one that is open."""
        if self._file is not None:
            self._file.check()


def _make_engine(url: str, *, by_index: bool, asked: bool, durable: bool) -> Engine:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise UsageError("WETREAD_DATABASE_URL: expected sqlite:///FILE or postgresql+psycopg://…") from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        file = _sqlite_file(parsed.database)
        return make_asked_engine(file, SQLITE_WAIT_MS / 1000) if asked else _make_sqlite_engine(url, file, durable)
    if backend != "postgresql":
        raise UsageError(f"WETREAD_DATABASE_URL: expected sqlite or postgresql, found {backend}")
    return make_postgres_engine(parsed, by_index=by_index, asked=asked)


def _sqlite_file(file: str | None) -> str:
    if not file or file == ":memory:":
        raise UsageError(
            "WETREAD_DATABASE_URL: expected a SQLite file, found one in memory; workers could not share it"
        )
    return file


def _make_sqlite_engine(url: str, file: str, durable: bool) -> Engine:
    folder = os.path.dirname(os.path.abspath(file))
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        raise ServiceUnavailable(f"expected to open a database in {folder}, found: {error.strerror}") from error
    engine = create_engine(url, connect_args={"timeout": SQLITE_WAIT_MS / 1000})
    event.listen(engine, "connect", _set_up_sqlite)
    if durable:
        event.listen(engine, "connect", _sync_commits)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _watched_file(engine: Engine) -> SqliteFile | None:
    """Return the engine's file, which knows of every connection; None where the URL names none by its path."""
    path = engine.url.database
    if path is None or path.startswith("file:"):
        return None
    file = SqliteFile(os.path.abspath(path))

    def make(*_: object) -> None:
        file.make()

    event.listen(engine, "do_connect", make)
    event.listen(engine, "connect", lambda *_: file.opened())
    event.listen(engine, "close", lambda *_: file.closed())
    return file


def _set_up_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # we write BEGIN ourselves
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_WAIT_MS}", ())
    # Readers and one writer at a time do not wait for each other. NORMAL: after a power cut the last commits
    # may be missing, never half there, and a reading that is missing is only made again.
    _enter_wal(cursor)
    cursor.execute("PRAGMA synchronous = NORMAL", ())
    cursor.execute("PRAGMA foreign_keys = ON", ())
    cursor.execute("PRAGMA cache_size = -32768", ())
    # Pages that several transactions change go to the file once.
    cursor.execute("PRAGMA wal_autocheckpoint = 4000", ())
    # What a walk has just found stays in memory, and is in no file but the database.
    cursor.execute("PRAGMA temp_store = MEMORY", ())
    # What is deleted is overwritten, and does not stay in the file for whoever opens it next.
    cursor.execute("PRAGMA secure_delete = ON", ())
    # From the first read on the files beside it are open, and stay while this connection is.
    cursor.execute("PRAGMA schema_version", ())
    cursor.close()


def _sync_commits(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = FULL", ())
    cursor.close()


def _enter_wal(cursor) -> None:  # type: ignore[no-untyped-def]  # the driver's cursor has no public type
    # SQLite answers "locked" at once, without busy_timeout, to one of two connections that both turn a new
    # file to WAL: each holds a read lock that the other waits for. So the wait is ours.
    give_up = time.monotonic() + SQLITE_WAIT_MS / 1000
    while True:
        try:
            if str(_one(cursor, "PRAGMA journal_mode")).lower() != "wal":
                cursor.execute("PRAGMA journal_mode = WAL", ())
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.01)


def _one(cursor, statement: str) -> object:  # type: ignore[no-untyped-def]  # the driver's cursor has no public type
    return cursor.execute(statement).fetchone()[0]


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get("wetread_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
