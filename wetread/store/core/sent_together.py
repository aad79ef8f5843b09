"""Holds back PostgreSQL statements, and sends them in one message with the next one or COMMIT: fewer round trips.

BEGIN, a lock, an update: nobody wants to hear what they give, only that nothing went wrong. Each is held back and goes
in one message with what follows, so that a claim takes three round trips to the server and a settlement as many. It is
a message of the simple protocol: nothing is prepared, which PgBouncer suits, and the server has it whole before it
begins, so that no client that stands still half way holds a lock in it.

Values are written into such a message's text, and the server logs the text of what fails. So only statements that are
marked are sent so; what names a person or a path, and a DICOM header, is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, Executable, event
from sqlalchemy.engine.interfaces import ExecuteStyle
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from wetread.store.core.postgres_line import PostgresLine

_UNHEARD, _ASKED_PLAINLY = "wetread_unheard", "wetread_plain"

PLAIN: Mapping[str, Any] = {_ASKED_PLAINLY: True}
"""Execution options of a statement whose answer is wanted and that may be sent together with what is held back."""


def say(session: Session, statement: Executable, rows: Sequence[Mapping[str, Any]] | None = None) -> None:
    """Execute a statement, of Core, whose answer is not wanted: on PostgreSQL with what comes next, or with COMMIT.

    rows: a set of values for each time that it is executed. What goes wrong is raised by what it is sent with.
    """
    options = {_UNHEARD: True}
    if rows is None:
        session.connection().execute(statement, execution_options=options)
    else:
        session.connection().execute(statement, rows, execution_options=options)


def send_together(engine: Engine) -> None:
    """Have an engine for PostgreSQL, whose connections are PostgresLines, hold back what is marked."""
    event.listen(engine, "do_execute", _execute)
    event.listen(engine, "do_executemany", _execute_many)
    event.listen(engine, "after_cursor_execute", _let_the_server_count)


def _execute(cursor: Any, statement: str, values: Any, context: Any) -> bool:
    line: PostgresLine = cursor.connection
    options = context.execution_options
    if options.get(_UNHEARD):
        line.hold_back(line.written(statement, values))
        return True
    if not line.holds_back:
        return False
    if not options.get(_ASKED_PLAINLY):
        line.send_held()
        return False
    cursor.execute(line.with_held(line.written(statement, values)))
    while cursor.nextset():  # the answers to what was held back come first
        pass
    return True


def _execute_many(cursor: Any, statement: str, rows: Sequence[Any], context: Any) -> bool:
    line: PostgresLine = cursor.connection
    if context.execution_options.get(_UNHEARD):
        for values in rows:
            line.hold_back(line.written(statement, values))
        return True
    line.send_held()
    return False


def _let_the_server_count(_connection, cursor, _statement, _values, context, _executemany: bool) -> None:  # type: ignore[no-untyped-def]  # the driver's cursor has no public type
    # psycopg ends many executions with a Flush after its Sync. PostgreSQL takes that for the begin of a command, and a
    # transaction that stands still there would hold its locks for ever. A command that is answered ends that.
    many = context is not None and context.execute_style is ExecuteStyle.EXECUTEMANY
    if many and not context.execution_options.get(_UNHEARD):
        cursor.connection.execute("")
