"""Connects to PostgreSQL, directly or through PgBouncer, and begins its transactions.

Nothing is kept in a session, since a bouncer in transaction mode gives each transaction another one: no prepared
statements, no SET but SET LOCAL, and advisory locks that end with the transaction. What is set goes to the server with
BEGIN, in one round trip; where the transaction is one of ours that says so, in that of its first statement.
"""

from __future__ import annotations

import select
import time
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import InvalidatePoolError, NoSuchModuleError

from schemas.errors import UsageError
from wetread.installing import install_command
from wetread.store.core import limits
from wetread.store.core.sent_together import send_together


def make_postgres_engine(url: URL, *, by_index: bool, asked: bool = False) -> Engine:
    """Return an engine for `url`; raise UsageError where psycopg is missing.

    by_index, asked: see `wetread.store.core.database.Database`.
    """
    try:
        engine = create_engine(url, pool_size=2, max_overflow=8, pool_timeout=limits.CONNECT_SECONDS * 2)
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
        said = "; ".join([start, *(f"SET LOCAL {key} = '{at}'" for key, at in settings.items())])
        if kind.get("wetread_begins_late"):
            line.begin_late(said)
        else:
            connection.exec_driver_sql(said)

    event.listen(engine, "do_connect", _connected)
    event.listen(engine, "checkout", _see_that_it_stands)
    event.listen(engine, "begin", begin)
    send_together(engine)
    return engine


def _milliseconds() -> str:
    return f"{limits.STANDSTILL_SECONDS * 1000:.0f}ms"


def _connected(_dialect: Any, _record: Any, arguments: Any, params: dict[str, Any]) -> Any:
    from wetread.store.core.postgres_line import PostgresLine

    params = {**limits.NETWORK, **params}
    # It begins no transactions by itself: ours begin with their settings.
    line = PostgresLine.connect(*arguments, **params, autocommit=True, prepare_threshold=None)
    line.params, line.heard_at = params, time.monotonic()
    return line


def _see_that_it_stands(line: Any, _record: Any, _pool: Any) -> None:
    """Make the pool replace broken connections; the check costs a round trip only after a silence."""
    recent = time.monotonic() - line.heard_at < limits.UNASKED_SECONDS
    if recent and not line.closed and not _something_came(line):
        return
    try:
        line.execute("SELECT 1")
    except line.Error as error:
        if not line.closed:
            raise
        raise InvalidatePoolError from error  # those that were open beside it are most likely gone too


def _something_came(line: Any) -> bool:
    """Return whether a server that was not asked said something: that it closes the connection, most likely."""
    looked_at = select.poll()  # which knows no highest file descriptor
    looked_at.register(line.fileno(), select.POLLIN)
    return bool(looked_at.poll(0))
