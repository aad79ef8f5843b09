"""The same test on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.migrated import copy_sqlite, wants_schema
from tests.program import films
from tests.reading_site import ReadingSite
from tests.screened import RunKit
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database's URL: empty, or at the schema for the fixture `database`."""
    if request.param == "sqlite":
        if wants_schema(request):
            copy_sqlite(tmp_path / "results.db")
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


@pytest.fixture(scope="session")
def drawn_films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("drawn")
    films(directory, patients=6, seed=4)
    (directory / "manifest.csv").unlink()
    return directory


@pytest.fixture
def site(database: Database, tmp_path: Path, drawn_films: Path) -> ReadingSite:
    archive = tmp_path / "archive"
    shutil.copytree(drawn_films, archive)
    return ReadingSite(database, tmp_path / "home", archive)
