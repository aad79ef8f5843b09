"""A small archive on disk, and what reading from it refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from schemas.errors import Rejected
from schemas.reasons import Reason
from wetread.imaging.files import read_file

CONTENT = b"film" * 1000


def make_archive(folder: Path) -> bytes:
    """An archive with one film in a folder, and a secret beside the archive."""
    (folder / "archive" / "ward").mkdir(parents=True)
    (folder / "archive" / "ward" / "film.png").write_bytes(CONTENT)
    (folder / "secret").write_bytes(b"secret")
    return os.fsencode(folder / "archive")


def rejected(root: bytes, relative: bytes, **limits: int) -> Reason:
    with pytest.raises(Rejected) as caught:
        read_file(root, relative, **limits)
    assert b"ward" not in caught.value.detail.encode(), "a path can hold a patient's name"
    return caught.value.reason


def inside(root: bytes, name: bytes) -> bytes:
    return os.path.join(root, name)
