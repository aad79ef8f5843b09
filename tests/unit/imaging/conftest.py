"""The archive that the tests of this folder read from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.imaging.archives import make_archive


@pytest.fixture
def root(tmp_path: Path) -> bytes:
    """An archive's root."""
    return make_archive(tmp_path)
