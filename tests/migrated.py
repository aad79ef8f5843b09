"""Databases at this program's schema for tests, copied from one that was migrated once: migrating takes half a second.

A test that uses a fixture of `AT_SCHEMA` gets its database so; any other gets an empty one, and migrates it itself.
"""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest

from tests.servers.postgres_server import PostgresServer
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema

AT_SCHEMA = frozenset({"database", "served"})
"""Fixtures that bring their database to the schema at once."""

TEMPLATE = "migrated"
"""The name of the database on a PostgreSQL server that new ones are copied from."""


def wants_schema(request: pytest.FixtureRequest) -> bool:
    """Return whether the test uses a fixture that brings its database to the schema."""
    return not AT_SCHEMA.isdisjoint(request.fixturenames)


def copy_sqlite(path: Path) -> None:
    """Make an SQLite database at the schema, where none is yet, with the rights that the program gives it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_sqlite_template(), path)
        path.chmod(0o600)


def create_postgres(server: PostgresServer, name: str) -> str:
    """Make a database at the schema on this server, and return its URL."""
    if not server.has_database(TEMPLATE):
        _migrate(server.create_database(TEMPLATE))
    return server.create_database(name, template=TEMPLATE)


@cache
def _sqlite_template() -> Path:
    path = Path(tempfile.mkdtemp(prefix="wetread-template-")) / "results.db"
    _migrate(f"sqlite:///{path}")
    return path


def _migrate(url: str) -> None:
    database = Database(url)
    ensure_schema(database)
    database.dispose()  # SQLite's log is in the file then, and PostgreSQL copies what nobody is connected to
