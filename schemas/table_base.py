"""The base of all tables: how constraints are named, the type of ids, times in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, MetaData, text
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

WALK_RULES = "what is left out and which links are followed, as schemas/walk_rules.py has it; empty: nothing is said"
"""The comment of the columns that keep it."""

BigId = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only where the key's type is INTEGER."""


def where(condition: str) -> dict[str, Any]:
    """Return the arguments that make an Index hold only rows of `condition`, in which {current} means that flag.

    SQLite takes an index only for a query that has the index's own words in it, and SQLAlchemy asks for
    "current = 1" there, for "current" of PostgreSQL.
    """
    return {
        "sqlite_where": text(condition.format(current="current = 1")),
        "postgresql_where": text(condition.format(current="current")),
    }


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite, which has no time zones, keeps it as UTC text."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> datetime | None:
        """Return `value` in UTC; raise ValueError for one without a time zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("expected a datetime with a time zone, found a naive one")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _: Dialect) -> datetime | None:
        """Return `value` with its time zone, UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(naming_convention=NAMING)
