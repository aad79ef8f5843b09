"""The database's own clock, so that workers on machines whose clocks differ agree on a lease."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Float, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class DatabaseSeconds(FunctionElement[float]):
    """Seconds since 1970, with fractions, when the statement runs."""

    type = Float()
    inherit_cache = True


@compiles(DatabaseSeconds, "sqlite")
def _sqlite(_element: DatabaseSeconds, _compiler: SQLCompiler, **_options: object) -> str:
    # 2440587.5 is the Julian day of 1970-01-01T00:00Z; SQLite before 3.42 has no subsecond unixepoch().
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(DatabaseSeconds, "postgresql")
def _postgresql(_element: DatabaseSeconds, _compiler: SQLCompiler, **_options: object) -> str:
    # clock_timestamp() moves within a transaction, now() does not.
    return "extract(epoch from clock_timestamp())::double precision"


def database_seconds() -> ColumnElement[float]:
    """Return the expression for the present moment by the database's clock."""
    return DatabaseSeconds()


def read_clock(session: Session) -> float:
    """Return the present moment by the database's clock, in seconds since 1970."""
    return session.scalar(select(database_seconds())) or 0.0
