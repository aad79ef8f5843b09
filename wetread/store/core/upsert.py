"""INSERT … ON CONFLICT for both databases, which SQLAlchemy spells apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session


def insert_for(session: Session) -> Callable[..., Any]:
    """Return the insert() of the session's database, with its on_conflict_* methods."""
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
