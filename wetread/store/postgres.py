"""PostgreSQL's side of a database: its connections, directly or through PgBouncer, and how its transactions begin.

Nothing is kept in a session, since a bouncer in transaction mode gives each transaction another one: no prepared
statements, no SET but SET LOCAL, and advisory locks that end with the transaction. What is set goes to the server with
BEGIN, in one round trip.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import NoSuchModuleError

from schemas.errors import UsageError
from wetread.installing import install_command
from wetread.store import limits


def make_postgres_engine(url: URL, *, by_index: bool, asked: bool = False) -> Engine:
    """Return an engine for `url`; raise UsageError where psycopg is missing.

    by_index, asked: see `wetread.store.database.Database`.
    """
    try:
        engine = create_engine(
            url, pool_pre_ping=True, pool_size=2, max_overflow=8, pool_timeout=limits.CONNECT_SECONDS * 2
        )
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        cure = install_command("postgres")
        raise UsageError(f"PostgreSQL needs psycopg, which is not installed: run `{cure}`") from error

    start = "BEGIN READ ONLY" if asked else "BEGIN"

    def begin(connection: Connection) -> None:
        kind = connection.get_execution_options()
        chosen = kind.get("wetread_limits", limits.WRITING)
        line: Any = connection.connection.dbapi_connection
        line.longest = chosen.statement + limits.GRACE_SECONDS
        settings = {
            "statement_timeout": f"{chosen.statement:g}s",
            "lock_timeout": f"{chosen.lock:g}s",
            "idle_in_transaction_session_timeout": "0" if kind.get("wetread_reads") else _milliseconds(),
        } | ({"enable_seqscan": "off"} if by_index else {})
        connection.exec_driver_sql("; ".join([start, *(f"SET LOCAL {key} = '{at}'" for key, at in settings.items())]))

    event.listen(engine, "do_connect", _connected)
    event.listen(engine, "begin", begin)
    event.listen(engine, "after_cursor_execute", _let_the_server_count)
    return engine


def _milliseconds() -> str:
    return f"{limits.STANDSTILL_SECONDS * 1000:.0f}ms"


def _connected(_dialect: Any, _record: Any, arguments: Any, params: dict[str, Any]) -> Any:
    from wetread.store.postgres_line import PostgresLine

    params = {**limits.NETWORK, **params}
    # It begins no transactions by itself: ours begin with their settings.
    line = PostgresLine.connect(*arguments, **params, autocommit=True, prepare_threshold=None)
    line.params = params
    return line


def _let_the_server_count(_connection, cursor, _statement, _values, _context, executemany: bool) -> None:  # type: ignore[no-untyped-def]  # the driver's cursor has no public type
    # psycopg ends many executions with a Flush after its Sync. PostgreSQL takes that for the begin of a command, and a
    # transaction that stands still there would hold its locks for ever. A command that is answered ends that.
    if executemany:
        cursor.connection.execute("")
