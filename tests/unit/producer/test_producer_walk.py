"""The walk: every regular file once, nothing outside the root, whatever lies in the way."""

from __future__ import annotations

import os
import socket
from collections import Counter
from pathlib import Path

import pytest

from producer.ingest import FIRST_CHUNK, LARGEST_CHUNK, _chunks
from producer.walk import DEPTH_LIMIT, walk
from schemas.errors import RootUnavailable
from wetread.store.images import FoundFile


def paths(root: Path, passed: Counter[str] | None = None) -> set[bytes]:
    found = [file.path for file in walk(os.fsencode(root), passed)]
    assert len(found) == len(set(found))
    return set(found)


def test_files_are_found_with_size_and_time_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "film.png").write_bytes(b"12345")
    (tmp_path / ".hidden").write_bytes(b"")
    found = {file.path: file for file in walk(os.fsencode(tmp_path))}
    assert set(found) == {b"a/b/film.png", b".hidden"}
    assert found[b"a/b/film.png"].size == 5
    assert found[b"a/b/film.png"].mtime_ns == (tmp_path / "a" / "b" / "film.png").stat().st_mtime_ns


def test_every_single_byte_name_is_found(tmp_path: Path) -> None:
    names = {bytes([byte]) for byte in range(1, 256)} - {b"/", b"."}
    for name in names:
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
            file.write(b"x")
    assert len(names) == 253
    assert paths(tmp_path) == names


def test_a_path_longer_than_the_systems_limit_is_found(tmp_path: Path) -> None:
    directory = os.open(tmp_path, os.O_RDONLY)
    name = b"d" * 250
    for _ in range(20):
        os.mkdir(name, dir_fd=directory)
        inner = os.open(name, os.O_RDONLY, dir_fd=directory)
        os.close(directory)
        directory = inner
    os.close(os.open(b"film", os.O_CREAT | os.O_WRONLY, dir_fd=directory))
    os.close(directory)
    (found,) = paths(tmp_path)
    assert len(found) == 20 * 251 + 4


def test_links_sockets_and_fifos_are_passed_over_and_counted(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    (tmp_path / "secret").write_text("outside")
    (archive / "out").symlink_to(tmp_path / "secret")
    (archive / "up").symlink_to(tmp_path)
    (archive / "loop").symlink_to(archive)
    os.mkfifo(archive / "fifo")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(archive / "socket"))
        passed: Counter[str] = Counter()
        assert paths(archive, passed) == set()
    assert passed == {"link": 3, "special file": 2}


def test_directories_that_a_storage_system_adds_are_passed_over(tmp_path: Path) -> None:
    for name in (".snapshot", "@eaDir", "2024"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "film.png").write_bytes(b"x")
    passed: Counter[str] = Counter()
    assert paths(tmp_path, passed) == {b"2024/film.png"}
    assert passed == {"storage system's directory": 2}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_directory_is_counted_and_the_rest_is_found(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "film").write_bytes(b"x")
    passed: Counter[str] = Counter()
    assert paths(tmp_path, passed) == {b"film"}
    assert passed == {"unreadable directory": 1}


def test_a_directory_deeper_than_the_limit_is_counted(tmp_path: Path) -> None:
    directory = os.open(tmp_path, os.O_RDONLY)
    for _ in range(DEPTH_LIMIT + 2):
        os.mkdir(b"d", dir_fd=directory)
        inner = os.open(b"d", os.O_RDONLY, dir_fd=directory)
        os.close(directory)
        directory = inner
    os.close(directory)
    passed: Counter[str] = Counter()
    assert paths(tmp_path, passed) == set()
    assert passed == {"directory too deep": 1}


def test_a_root_that_is_gone_is_no_empty_archive(tmp_path: Path) -> None:
    with pytest.raises(RootUnavailable, match="mount it"):
        paths(tmp_path / "gone")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(RootUnavailable):
        paths(tmp_path / "file")


def test_a_root_that_goes_in_the_middle_stops_the_walk(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    for name in ("a", "b", "c"):
        (archive / name).mkdir(parents=True)
        (archive / name / "film").write_bytes(b"x")
    walking = walk(os.fsencode(archive))
    next(walking)
    archive.rename(tmp_path / "away")
    for name in ("a", "b", "c"):
        (tmp_path / "away" / name).rename(tmp_path / name)
    with pytest.raises(RootUnavailable):
        list(walking)


def test_chunks_start_small_and_grow_to_their_limit() -> None:
    files = (FoundFile(b"%d" % number, 1, 1) for number in range(40_000))
    sizes = [len(chunk) for chunk in _chunks(files)]
    assert sizes[:3] == [FIRST_CHUNK, 2 * FIRST_CHUNK, 4 * FIRST_CHUNK]
    assert max(sizes) == LARGEST_CHUNK
    assert sum(sizes) == 40_000
