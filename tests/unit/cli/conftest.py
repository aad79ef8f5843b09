"""Drawn films and a model to evaluate on them, for the tests of `wetread evaluate`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tiny_model import publish_tiny_model
from trainer.phantoms.archive import draw_archive
from wetread.settings import load_settings


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    draw_archive(folder, patients=40, seed=4, images_per_patient=(1, 2))
    return folder


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The digest of the tiny model, in production in a home of the test's own."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("WETREAD_HOME", str(home))
    load_settings.cache_clear()
    return publish_tiny_model(None, home)
