"""A film that is written to while it is read: never mixed bytes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable

import pytest

from schemas.reasons import Reason
from tests.unit.imaging.archives import inside, rejected
from wetread.imaging import files
from wetread.imaging.files import read_file


def changing(monkeypatch: pytest.MonkeyPatch, path: bytes, times: int, change: Callable[[bytes], None]) -> None:
    """Let the first `times` reads of the file be followed by a change to it."""
    read, left = os.read, [times]

    def read_and_change(descriptor: int, count: int) -> bytes:
        data = read(descriptor, count)
        if left[0] > 0:
            left[0] -= 1
            change(path)
        return data

    monkeypatch.setattr(files.os, "read", read_and_change)


def grow(path: bytes) -> None:
    with open(path, "ab") as file:
        file.write(b"more")


def shrink(path: bytes) -> None:
    os.truncate(path, os.stat(path).st_size - 4)


def touch(path: bytes) -> None:
    """Same size, other content: only the time of change tells."""
    before = os.stat(path).st_mtime_ns
    with open(path, "r+b") as file:
        file.write(b"XXXX")
    os.utime(path, ns=(before + 1_000_000, before + 1_000_000))


@pytest.mark.parametrize("change", [grow, shrink, touch])
def test_a_film_that_changes_once_is_read_again(
    root: bytes, monkeypatch: pytest.MonkeyPatch, change: Callable[[bytes], None]
) -> None:
    path = inside(root, b"ward/film.png")
    changing(monkeypatch, path, 1, change)
    film = read_file(root, b"ward/film.png")
    with open(path, "rb") as file:
        assert film.data == file.read()
    assert film.sha256 == hashlib.sha256(film.data).hexdigest()
    assert film.size == len(film.data)


@pytest.mark.parametrize("change", [grow, shrink, touch])
def test_a_film_that_keeps_changing_is_left_to_the_next_run(
    root: bytes, monkeypatch: pytest.MonkeyPatch, change: Callable[[bytes], None]
) -> None:
    changing(monkeypatch, inside(root, b"ward/film.png"), 10_000, change)
    assert rejected(root, b"ward/film.png") is Reason.CHANGED


def test_a_write_that_goes_on_is_waited_for(root: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write had set the file's times and was half done as the file was opened; the times tell of no change."""
    path = inside(root, b"ward/film.png")
    with open(path, "r+b") as film:
        film.write(b"half")

    def end_the_write(_seconds: float) -> None:
        with open(path, "r+b") as film:
            film.write(b"whole")

    monkeypatch.setattr(files.time, "sleep", end_the_write)
    monkeypatch.setattr(files, "_version", lambda status: status.st_size)
    assert read_file(root, b"ward/film.png").data.startswith(b"whole")


def test_a_film_that_is_quiet_is_not_waited_for(root: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    later = os.stat(inside(root, b"ward/film.png")).st_ctime + 1.0
    monkeypatch.setattr(files.time, "time", lambda: later)
    monkeypatch.setattr(files.time, "sleep", lambda _: pytest.fail("waited"))
    read_file(root, b"ward/film.png")


def test_a_change_that_sets_the_time_back_is_noticed(root: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def overwrite(path: bytes) -> None:
        status = os.stat(path)
        with open(path, "r+b") as file:
            file.write(b"XXXX")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    changing(monkeypatch, inside(root, b"ward/film.png"), 10_000, overwrite)
    assert rejected(root, b"ward/film.png") is Reason.CHANGED
