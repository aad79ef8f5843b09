"""Films are read in processes of their own: one that hangs or grows is ended, and the next film is shown."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from schemas.films import ACCEPTED
from web.film_reader import FilmPlace, FilmReader
from wetread.imaging.opencv import cv2
from wetread.settings import Settings


@pytest.fixture
def place(tmp_path: Path) -> FilmPlace:
    noise = np.random.default_rng(1).integers(0, 256, (900, 800), np.uint8)
    (tmp_path / "film.png").write_bytes(cv2.imencode(".png", noise)[1].tobytes())
    return FilmPlace(bytes(tmp_path), b"film.png", ACCEPTED)


@pytest.fixture
def opened(request: pytest.FixtureRequest) -> Iterator[FilmReader]:
    reader = FilmReader(Settings(**getattr(request, "param", {})), processes=1)
    yield reader
    reader.close()


@pytest.mark.parametrize("opened", [{"image_seconds": 0.001}], indirect=True)
def test_one_that_takes_too_long_is_ended(opened: FilmReader, place: FilmPlace) -> None:
    for _ in range(2):
        assert opened.film(place).fault == "it was not read within 0.001 s"


@pytest.mark.parametrize("opened", [{"memory_bytes": 40 * 2**20}], indirect=True)
def test_one_that_needs_too_much_memory_is_said_to(opened: FilmReader, place: FilmPlace) -> None:
    assert "memory" in (opened.film(place).fault or "")


def test_what_died_is_started_again(opened: FilmReader, place: FilmPlace) -> None:
    assert opened.film(place).fault is None
    first = opened._all[0]._running
    assert first is not None
    first.kill()
    first.wait()
    assert opened.film(place).fault is None
    assert opened._all[0]._running is not first


def test_what_is_no_plain_path_or_gone_is_not_opened(opened: FilmReader, place: FilmPlace) -> None:
    for path in (b"../film.png", b"/etc/passwd", b"gone.png", b""):
        assert opened.thumb(FilmPlace(place.root, path, ACCEPTED), None).fault, path
    assert opened.thumb(place, None).fault is None


def test_a_small_picture_is_of_the_bytes_that_were_read(opened: FilmReader, place: FilmPlace, tmp_path: Path) -> None:
    def written(seed: int) -> str:
        data = cv2.imencode(".png", np.random.default_rng(seed).integers(0, 256, (300, 300), np.uint8))[1].tobytes()
        (tmp_path / "film.png").write_bytes(data)
        return hashlib.sha256(data).hexdigest()

    first = written(1)
    before = opened.thumb(place, first)
    assert before.fault is None and opened.thumb(place, first) is before
    second = written(2)
    assert opened.thumb(place, second).data != before.data
    third = written(3)
    assert opened.thumb(place, second).data != before.data, "made when the file still held it"
    written(4)
    assert "has changed" in (opened.thumb(place, third).fault or "")
