"""What the kernel tells of a directory, and what of it is no film of the archive."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from producer.changes import Changes
from schemas.errors import RootUnavailable
from tests.program import eventually


def test_nothing_is_told_of_our_own_files_nor_of_what_lies_behind_a_link(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "archive", tmp_path / "elsewhere"
    for folder in (root / "home", root / ".snapshot", elsewhere):
        folder.mkdir(parents=True)
    (root / "link").symlink_to(elsewhere)
    changes = Changes({1: bytes(root)}, [str(root / "home")])
    for written in (root / "home" / "results.db", root / ".snapshot" / "old.png", elsewhere / "other.png"):
        written.write_bytes(b"1")
    came = root / "came"
    came.mkdir()
    (came / "film.png").write_bytes(b"1")
    told: set[tuple[int, bytes]] = set()

    def all_is_told() -> bool:
        told.update(changes.wait())
        return (1, b"last.png") in told

    (root / "last.png").write_bytes(b"1")
    eventually(all_is_told, what="the news of the last file")
    assert told == {(1, b"came/film.png"), (1, b"last.png")}


def test_after_a_mount_it_listens_to_what_is_mounted(tmp_path: Path) -> None:
    root, other = tmp_path / "root", tmp_path / "other"
    root.mkdir()
    (other / "sub").mkdir(parents=True)
    changes = Changes({1: os.fsencode(root)})
    root.rename(tmp_path / "away")
    with pytest.raises(RootUnavailable, match="root'"):
        list(changes.wait())
    other.rename(root)
    list(changes.wait())
    assert changes.lost, "what came before it listened is for a walk"
    (root / "sub" / "new.png").write_bytes(b"x")
    told: set[tuple[int, bytes]] = set()
    eventually(lambda: told.update(changes.wait()) or told, what="news of the directory that came", seconds=10)
    assert told == {(1, b"sub/new.png")}
