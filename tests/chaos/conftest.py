"""An archive to let faults loose on, and the two ways to run: with no server, and with Redis and PostgreSQL."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.chaos.films import draw_films
from tests.chaos.scale import FILMS, PATIENCE, SEED
from tests.program import Program, with_model

QUICK_RECOVERY = {"WETREAD_BATCH_SIZE": "64", "WETREAD_LEASE_SECONDS": "3", "WETREAD_SWEEP_SECONDS": "1"}


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The films, drawn once; not to be changed."""
    directory = tmp_path_factory.mktemp("films") / "archive"
    draw_films(directory, FILMS, seed=SEED)
    return directory


@pytest.fixture
def own_archive(drawn: Path, tmp_path: Path) -> Path:
    """A copy of the films that a test may change; its files are links to the drawn ones."""
    return Path(shutil.copytree(drawn, tmp_path / "archive", copy_function=_link))


def _link(source: str, target: str) -> str:
    Path(target).hardlink_to(source)
    return target


@pytest.fixture
def embedded(tmp_path: Path) -> Program:
    """A program that needs no server."""
    return with_model(tmp_path / "home", patience=PATIENCE, **QUICK_RECOVERY)


@pytest.fixture
def served(tmp_path: Path, redis_url: str, postgres_url: str) -> Program:
    """A program whose database is PostgreSQL and whose broker is Redis, both shared: not to be killed."""
    return with_model(
        tmp_path / "home", patience=PATIENCE, WETREAD_DATABASE_URL=postgres_url, WETREAD_BROKER_URL=redis_url,
        **QUICK_RECOVERY,
    )  # fmt: skip
