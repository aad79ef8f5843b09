"""Joins any number of rows of ours with the database's in one statement.

On PostgreSQL they are arrays (a role that may make no temporary table can send them); on SQLite a temporary table,
which SQLite keeps in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Column, FromClause, LargeBinary, MetaData, Table, Text, bindparam, cast, func
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateTable
from sqlalchemy.types import TypeEngine

Columns = Mapping[str, type[BigInteger] | type[LargeBinary]]


def as_table(session: Session, name: str, columns: Columns, rows: Sequence[tuple[Any, ...]]) -> FromClause:
    """Return `rows` as something to select from: integers and bytes, a value for each of `columns`.

    name: names the columns too; what an earlier call gave under the same name holds these rows now.
    """
    if session.get_bind().dialect.name == "postgresql":
        return _as_arrays(name, columns, rows)
    return _as_temporary_table(session, name, columns, rows)


def _as_arrays(name: str, columns: Columns, rows: Sequence[tuple[Any, ...]]) -> FromClause:
    # Written as text, which takes a tenth of the time that the driver needs for a list.
    by_column = list(zip(*rows, strict=True)) or [()] * len(columns)
    arrays = [
        cast(bindparam(None, _written(kind, values), Text), ARRAY(kind))
        for kind, values in zip(columns.values(), by_column, strict=True)
    ]
    return func.unnest(*arrays).table_valued(*_columns(columns), name=name).render_derived()


def _written(kind: type[TypeEngine[Any]], values: Iterable[Any]) -> str:
    if kind is LargeBinary:
        return "{" + ",".join(["\\\\x" + value.hex() for value in values]) + "}"
    return "{" + ",".join(map(str, values)) + "}"


def _as_temporary_table(session: Session, name: str, columns: Columns, rows: Sequence[tuple[Any, ...]]) -> FromClause:
    table = _temporary_table(name, tuple(columns.items()))
    connection = session.connection()
    connection.execute(CreateTable(table, if_not_exists=True))
    connection.execute(table.delete())
    # Not through SQLAlchemy's parameters: these are as many as the archive has files.
    places = ", ".join("?" * len(columns))
    if rows:
        connection.exec_driver_sql(f"INSERT INTO temp.{name} VALUES ({places})", list(rows))  # noqa: S608 - a name of ours
    return table


@cache  # one object, or SQLAlchemy would compile anew what is done with it
def _temporary_table(name: str, columns: tuple[tuple[str, type[BigInteger | LargeBinary]], ...]) -> Table:
    return Table(name, MetaData(), *_columns(dict(columns)), prefixes=["TEMPORARY"])


def _columns(columns: Columns) -> list[Column[Any]]:
    return [Column(name, kind) for name, kind in columns.items()]
