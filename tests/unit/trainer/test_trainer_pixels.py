from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from schemas.errors import DataError
from trainer.data.dataset import Dataset, load_dataset
from trainer.data.pixels import load_films
from wetread.imaging.decode import decode
from wetread.imaging.opencv import cv2
from wetread.imaging.preprocess import Preprocess

PREPROCESS = Preprocess(height=32, width=40, working_size=100)


def draw(path: Path, seed: int, side: int = 96) -> None:
    generator = np.random.default_rng(seed)
    picture = cv2.resize(generator.integers(0, 256, (8, 8), dtype=np.uint8), (side, side + 20))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())


def archive(root: Path, films: int) -> Dataset:
    for number in range(films):
        draw(root / ("sick" if number % 2 else "well") / f"{number:03}.png", number, 96 + number)
    return load_dataset(os.fsencode(root))


def test_training_sees_what_a_worker_sees(tmp_path: Path) -> None:
    dataset = archive(tmp_path, 6)
    films = load_films(dataset, PREPROCESS)
    assert films.shape == (6, 32, 40)
    for film, row in zip(films, dataset.films, strict=True):
        served = PREPROCESS.apply(decode((tmp_path / os.fsdecode(row.path)).read_bytes()).pixels)
        assert np.array_equal(PREPROCESS.scaled(film)[:, :, None], served)


def test_more_processes_give_the_same_films_in_the_same_order(tmp_path: Path) -> None:
    dataset = archive(tmp_path, 70)
    seen: list[tuple[int, int]] = []
    indices = list(range(69, 0, -1))
    films = load_films(
        dataset, PREPROCESS, indices=indices, processes=2, progress=lambda done, total: seen.append((done, total))
    )
    assert np.array_equal(films, load_films(dataset, PREPROCESS, processes=1)[indices])
    assert seen == [(done, 69) for done in range(1, 70)]


@pytest.mark.parametrize("content", [b"", b"not an image", "half"])
def test_a_film_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | str) -> None:
    dataset = archive(tmp_path, 4)
    path = tmp_path / "sick" / "001.png"
    path.write_bytes(path.read_bytes()[:200] if isinstance(content, str) else content)
    with pytest.raises(DataError, match=r"sick/001\.png: expected a film that can be read"):
        load_films(dataset, PREPROCESS)


def test_all_films_that_cannot_be_read_are_named_at_once(tmp_path: Path) -> None:
    dataset = archive(tmp_path, 66)
    for name in ("well/064.png", "sick/001.png"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(DataError, match=r"2 films cannot be used:\n.*sick/001\.png.*\n.*well/064\.png"):
        load_films(dataset, PREPROCESS, processes=2)


def test_the_error_comes_back_from_another_process(tmp_path: Path) -> None:
    dataset = archive(tmp_path, 66)
    (tmp_path / "well" / "064.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"well/064\.png"):
        load_films(dataset, PREPROCESS, processes=2)
