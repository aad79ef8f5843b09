"""A database and its transactions: SQLite for one machine, PostgreSQL for many."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from schemas.errors import RightsMissing, ServiceUnavailable, UsageError, WetreadError
from wetread.settings import safe_url
from wetread.store.sqlite_file import SqliteFile

SQLITE_WAIT_MS = 60_000
"""Milliseconds that a SQLite connection waits for another's write."""

POSTGRES_CONNECT_SECONDS = 10

STANDSTILL_SECONDS = 30
"""Seconds that a writing transaction may do nothing before PostgreSQL ends it. A process that is stopped, or whose
machine is, while it settles a batch holds the run's row: without an end every other worker would wait for it."""

FORBIDDEN = frozenset({"42501", "25006"})
"""PostgreSQL's codes for a right that the role lacks, and for a write where only reading is possible."""

CONTENDED = frozenset({"40P01", "40001", "55P03"})
"""Its codes for a deadlock, for a transaction that another one forestalled, and for a lock that was not to be had."""


class Database:
    """Hands out transactions; a transaction that ends in an exception is rolled back.

    Transactions that write begin as writers (BEGIN IMMEDIATE on SQLite), so that one never has to be
    given up half way because another wrote first.

    by_index: for whoever looks up few rows at a time in tables that grow, as a worker does: PostgreSQL's planner then
    takes a sequential scan only where it has no other plan (enable_seqscan = off); where no index serves, a table is
    read whole still. A connection keeps a plan that was made while a table was empty until that is analysed, and the
    checks of foreign keys do so too: in a new database each batch took longer to settle than the one before.
    """

    def __init__(self, url: str, *, by_index: bool = False) -> None:
        self.url = url
        self._file: SqliteFile | None = None
        self._engine = _make_engine(url)
        if self.dialect == "sqlite":
            self._file = _watched_file(self._engine)
        if by_index and self.dialect == "postgresql":
            event.listen(self._engine, "connect", _prefer_indexes)

    @property
    def dialect(self) -> str:
        """Return "sqlite" or "postgresql"."""
        return self._engine.dialect.name

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session; commit at the end."""
        with self._named_faults(), Session(self._engine) as session, session.begin():
            if self.dialect == "postgresql":
                session.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{STANDSTILL_SECONDS}s'"))
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that sees one state of the database and writes nothing."""
        reader = self._engine.execution_options(wetread_reads=True)
        with self._named_faults(), Session(reader) as session, session.begin():
            yield session

    @contextmanager
    def connecting(self) -> Iterator[Connection]:
        """Give a bare connection in a writing transaction; migrations use it."""
        with self._named_faults(), self._engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def _named_faults(self) -> Iterator[None]:
        try:
            self._check_file()
            yield
            self._check_file()
        except (OperationalError, InterfaceError) as error:
            self._check_file()
            raise _named(error, self.url) from error
        except DBAPIError as error:
            known = error.connection_invalidated or "not a database" in str(error.orig) or _state(error) in FORBIDDEN
            if known:
                raise _named(error, self.url) from error
            raise

    def _check_file(self) -> None:
        """Raise DatabaseReplaced where SQLite's file is not the one that is open."""
        if self._file is not None:
            self._file.check()


def _state(error: DBAPIError) -> str | None:
    """Return PostgreSQL's five-letter code of the fault; None on SQLite."""
    state: str | None = getattr(error.orig, "sqlstate", None)
    return state


def _named(error: DBAPIError, url: str) -> WetreadError:
    said = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
    if "disk is full" in said or "No space left" in said or "disk I/O error" in said:
        return WetreadError(f"the database {safe_url(url)} cannot write: {said}; make space, then run the same command")
    if _state(error) in FORBIDDEN or "readonly database" in said:
        return RightsMissing(
            f"expected the right to do this in the database {safe_url(url)}, found: {said}; nothing was written. Use "
            "a role that has it: docs/operations.md lists them"
        )
    if _state(error) in CONTENDED:
        return ServiceUnavailable(
            f"expected a turn in the database {safe_url(url)}, found: {said}; nothing was written, and the same "
            "command goes on"
        )
    return ServiceUnavailable(
        f"expected a database at {safe_url(url)}, found: {said}; check WETREAD_DATABASE_URL and that the server runs"
    )


def _make_engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise UsageError("WETREAD_DATABASE_URL: expected sqlite:///FILE or postgresql+psycopg://…") from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _make_sqlite_engine(url, parsed.database)
    if backend != "postgresql":
        raise UsageError(f"WETREAD_DATABASE_URL: expected sqlite or postgresql, found {backend}")
    try:
        engine = create_engine(
            parsed,
            pool_pre_ping=True,
            pool_size=2,
            max_overflow=8,
            connect_args={"connect_timeout": POSTGRES_CONNECT_SECONDS},
        )
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise UsageError("PostgreSQL needs psycopg, which is not installed: run `make install`") from error
    event.listen(engine, "after_cursor_execute", _let_the_server_count)
    return engine


def _let_the_server_count(_connection, cursor, _statement, _values, _context, executemany: bool) -> None:  # type: ignore[no-untyped-def]  # the driver's cursor has no public type
    # psycopg ends many executions with a Flush after its Sync. PostgreSQL takes that for the begin of a command, and a
    # transaction that stands still there would hold its locks for ever. A command that is answered ends that.
    if executemany:
        cursor.connection.execute("")


def _prefer_indexes(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("SET enable_seqscan = off", ())
    cursor.close()
    connection.commit()  # a setting that is rolled back is none


def _make_sqlite_engine(url: str, file: str | None) -> Engine:
    if not file or file == ":memory:":
        raise UsageError(
            "WETREAD_DATABASE_URL: expected a SQLite file, found one in memory; workers could not share it"
        )
    folder = os.path.dirname(os.path.abspath(file))
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        raise ServiceUnavailable(f"expected to open a database in {folder}, found: {error.strerror}") from error
    engine = create_engine(url, connect_args={"timeout": SQLITE_WAIT_MS / 1000})
    event.listen(engine, "connect", _set_up_sqlite)
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
