"""A program with a tiny model, and drawn films to screen."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.program import Program, films, with_model


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return with_model(tmp_path / "home")


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """112 phantoms, drawn once: `few` holds 12, `many` the other 100."""
    directory = tmp_path_factory.mktemp("drawn")
    for name, patients in (("few", 12), ("many", 100)):
        films(directory / name, patients=patients, seed=patients)
        (directory / name / "manifest.csv").unlink()
    return directory


@pytest.fixture
def archive(drawn: Path, tmp_path: Path) -> Path:
    """12 films."""
    return Path(shutil.copytree(drawn / "few", tmp_path / "archive"))


@pytest.fixture
def large_archive(drawn: Path, archive: Path, program: Program) -> Path:
    """112 films, and batches so small that a run can be met half way."""
    shutil.copytree(drawn / "many", archive / "many")
    program.environment["WETREAD_BATCH_SIZE"] = "8"
    return archive
