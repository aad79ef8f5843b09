"""The same test on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.screened import RunKit
from wetread.store.database import Database
from wetread.store.migrating import ensure_schema


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new, empty database's URL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'results.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database at this program's schema."""
    opened = Database(database_url)
    ensure_schema(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def kit(database: Database) -> RunKit:
    """A run of a made-up model over a made-up root, without any file."""
    return RunKit(database)
