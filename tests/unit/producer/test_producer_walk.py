"""The walk: every regular file once, nothing outside the root, whatever lies in the way."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from producer.ingest import FIRST_CHUNK, LARGEST_CHUNK, _chunks
from producer.passed_over import PassedOver
from producer.walk import DEPTH_LIMIT, found_file, walk
from schemas.errors import RootUnavailable
from wetread.store.images.recording import FoundFile
from wetread.store.images.unread_directories import KEPT


def files(root: Path, passed: PassedOver | None = None) -> list[FoundFile]:
    return [file for file in walk(os.fsencode(root), passed) if isinstance(file, FoundFile)]


def paths(root: Path, passed: PassedOver | None = None) -> set[bytes]:
    found = [file.path for file in files(root, passed)]
    assert len(found) == len(set(found))
    return set(found)


def test_files_are_found_with_size_and_time_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "film.png").write_bytes(b"12345")
    (tmp_path / ".hidden").write_bytes(b"")
    found = {file.path: file for file in files(tmp_path)}
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
        passed = PassedOver()
        assert paths(archive, passed) == set()
    assert passed.kinds == {"link": 3, "special file": 2}


def test_directories_that_a_storage_system_adds_are_passed_over(tmp_path: Path) -> None:
    for name in (".snapshot", "@eaDir", "2024"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "film.png").write_bytes(b"x")
    passed = PassedOver()
    assert paths(tmp_path, passed) == {b"2024/film.png"}
    assert passed.kinds == {"storage system's directory": 2}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_directory_is_counted_and_the_rest_is_found(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "film").write_bytes(b"x")
    passed = PassedOver()
    assert paths(tmp_path, passed) == {b"film"}
    assert passed.kinds == {"unreadable directory": 1}
    assert passed.unread == {b"closed": "Permission denied"}


def test_a_directory_deeper_than_the_limit_is_counted(tmp_path: Path) -> None:
    directory = os.open(tmp_path, os.O_RDONLY)
    for _ in range(DEPTH_LIMIT + 2):
        os.mkdir(b"d", dir_fd=directory)
        inner = os.open(b"d", os.O_RDONLY, dir_fd=directory)
        os.close(directory)
        directory = inner
    os.close(directory)
    passed = PassedOver()
    assert paths(tmp_path, passed) == set()
    assert passed.kinds == {"directory too deep": 1}


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
    sizes = [len(chunk) for _, chunk in _chunks(1, files)]
    assert sizes[:3] == [FIRST_CHUNK, 2 * FIRST_CHUNK, 4 * FIRST_CHUNK]
    assert max(sizes) == LARGEST_CHUNK
    assert sum(sizes) == 40_000


@pytest.mark.parametrize("fault", [errno.EACCES, errno.EIO, errno.ESTALE])
def test_a_directory_that_lists_its_files_and_shows_none_is_named_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: int
) -> None:
    """So is one that may be read and not searched, and one of a file server that has lost it."""
    (tmp_path / "half").mkdir()
    for name in ("1.png", "2.png"):
        (tmp_path / "half" / name).write_bytes(b"x")
    (tmp_path / "film").write_bytes(b"x")
    listed = os.scandir

    class Blind:
        def __init__(self, entry: os.DirEntry[str]) -> None:
            self.name, self._entry = entry.name, entry

        def stat(self, *, follow_symlinks: bool) -> os.stat_result:
            if self.name.endswith(".png"):
                raise OSError(fault, os.strerror(fault))
            return self._entry.stat(follow_symlinks=follow_symlinks)

    @contextmanager
    def scandir(directory: int | bytes) -> Iterator[Iterator[object]]:
        with listed(directory) as entries:
            yield map(Blind, entries) if isinstance(directory, int) else entries

    monkeypatch.setattr(os, "scandir", scandir)
    passed = PassedOver()
    assert paths(tmp_path, passed) == {b"film"}
    assert (passed.unread, passed.unread_count) == ({b"half": os.strerror(fault)}, 1)


def test_directories_beyond_those_that_are_named_are_counted() -> None:
    passed = PassedOver()
    for number in range(3 * KEPT):
        passed.could_not_look(b"%d" % number, "Permission denied")
    assert (len(passed.unread), passed.unread_count) == (KEPT, 3 * KEPT)


@pytest.mark.parametrize("nanoseconds", [-(2**63), 2**63 - 1, -(10**19), 10**19, 0])
def test_a_time_that_no_database_holds_is_kept_as_the_nearest(nanoseconds: int, tmp_path: Path) -> None:
    film = tmp_path / "film"
    film.write_bytes(b"x")
    status = os.stat_result([*os.stat(film)], {**_times(film), "st_mtime_ns": nanoseconds})
    assert found_file(b"film", status).mtime_ns == min(max(nanoseconds, -(2**63)), 2**63 - 1)


def _times(file: Path) -> dict[str, int | float]:
    found = os.stat(file)
    names = ("st_atime", "st_mtime", "st_ctime", "st_atime_ns", "st_ctime_ns")
    return {name: getattr(found, name) for name in names}
