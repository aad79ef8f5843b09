"""Copies are told from other films: the first look, the alignment, and both together on real films."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from trainer.audit.alignment import likeness
from trainer.audit.copies import LEAST_LIKENESS, find_copies
from trainer.audit.film_features import Look, load_looks, look_of
from trainer.audit.spectra import Fit, proposals, spectra_of
from trainer.audit.squares import SIDE, square_of
from trainer.data.dataset import load_dataset
from trainer.data.film import Film
from trainer.phantoms.archive import phantom
from wetread.imaging.opencv import cv2

REAL_FILMS = Path(__file__).parents[4] / "shared" / "data" / "cxr"

Levels = npt.NDArray[np.uint8]
WHOLE = Fit((1.0, 1.0), (1.0, 1.0), mirrored=False)


@pytest.fixture(scope="module")
def film() -> Levels:
    return phantom("covid", 4, 400)


def proposed(one: Levels, other: Levels) -> tuple[float, Fit]:
    """The similarity and the fit of two films, of different patients."""
    spectra = np.stack([spectra_of(square_of(levels)) for levels in (one, other)])
    (pair,) = proposals(spectra, np.arange(2))
    return pair.similarity, pair.fit


def test_a_frame_changes_nothing(film: Levels) -> None:
    framed = np.asarray(cv2.copyMakeBorder(film, 20, 0, 7, 60, cv2.BORDER_CONSTANT, value=0))
    assert square_of(framed).shape == (SIDE, SIDE)
    assert np.array_equal(square_of(framed), square_of(film))


def test_a_picture_that_is_mostly_flat_is_kept_whole() -> None:
    speck = np.zeros((200, 200), np.uint8)
    speck[90:110, 90:110] = 255
    assert square_of(speck)[: SIDE // 3].max() == 0


def test_a_shift_and_an_inversion_leave_the_spectrum_nearly_as_it_was(film: Levels) -> None:
    moved = np.asarray(cv2.warpAffine(film, np.array([[1, 0, 20], [0, 1, -16]], np.float32), film.shape))
    similarity, fit = proposed(film, 255 - moved)
    assert similarity > 0.85 and fit == WHOLE
    assert proposed(film, film)[0] == pytest.approx(1.0, abs=1e-5)


def test_a_mirrored_film_is_known_as_such(film: Levels) -> None:
    similarity, fit = proposed(film, np.ascontiguousarray(film[:, ::-1]))
    assert similarity > 0.98 and fit == Fit((1.0, 1.0), (1.0, 1.0), mirrored=True)


def test_the_fit_of_a_crop_says_of_which_film_how_much_is_in_the_other(film: Levels) -> None:
    narrow = np.ascontiguousarray(film[:, 40:-40])
    assert proposed(film, narrow)[1] == Fit((1.0, 0.8), (1.0, 1.0), mirrored=False)
    assert proposed(narrow, film)[1] == Fit((1.0, 1.0), (1.0, 0.8), mirrored=False)


def test_films_of_one_group_are_not_held_against_each_other(film: Levels) -> None:
    spectra = np.stack([spectra_of(square_of(film))] * 3)
    assert {(pair.one, pair.other) for pair in proposals(spectra, np.array([0, 0, 1]))} == {(0, 2), (1, 2)}


def test_each_pair_is_proposed_once_in_order() -> None:
    spectra = np.stack([spectra_of(square_of(phantom("normal", seed, 200))) for seed in range(8)])
    pairs = [(pair.one, pair.other) for pair in proposals(spectra, np.arange(8))]
    assert len(pairs) == len(set(pairs)) > 0
    assert all(one < other for one, other in pairs)


def test_likeness_is_one_for_the_same_high_for_a_copy_and_low_for_another(film: Levels) -> None:
    square = square_of(film)
    small = cv2.resize(film, (150, 150), interpolation=cv2.INTER_AREA)
    copy = cv2.imdecode(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], cv2.IMREAD_GRAYSCALE)
    assert likeness(square, square, WHOLE) == pytest.approx(1.0, abs=1e-3)
    assert likeness(square, square_of(np.asarray(copy, np.uint8)), WHOLE) > LEAST_LIKENESS
    assert likeness(square, square_of(255 - film), WHOLE) > 0.99
    others = [likeness(square, square_of(phantom("covid", seed, 400)), WHOLE) for seed in range(10, 20)]
    assert max(others) < LEAST_LIKENESS


@pytest.mark.parametrize("one", [np.zeros((SIDE, SIDE)), np.full((SIDE, SIDE), 255)], ids=["black", "white"])
def test_what_shows_nothing_is_like_nothing(one: Levels, film: Levels) -> None:
    assert likeness(one.astype(np.uint8), square_of(film), WHOLE) == 0.0
    assert likeness(square_of(film), one.astype(np.uint8), WHOLE) == 0.0


def jpeg(levels: Levels, quality: int) -> Levels:
    data = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def rescaled(levels: Levels, factor: float) -> Levels:
    height, width = levels.shape
    size = (max(64, round(factor * width)), max(64, round(factor * height)))
    return np.asarray(cv2.resize(levels, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR))


def moved(levels: Levels, rng: np.random.Generator) -> Levels:
    height, width = levels.shape
    right, down = rng.uniform(-0.08, 0.08, 2) * (width, height)
    return np.asarray(cv2.warpAffine(levels, np.array([[1, 0, right], [0, 1, down]], np.float32), (width, height)))


def cut(levels: Levels, rng: np.random.Generator) -> Levels:
    height, width = levels.shape
    top, bottom, left, right = (rng.uniform(0, 0.1, 4) * (height, height, width, width)).astype(int)
    return np.ascontiguousarray(levels[top : height - bottom, left : width - right])


PLANTED: dict[str, Callable[[Levels, np.random.Generator], Levels]] = {
    "recompressed": lambda levels, _: jpeg(levels, 30),
    "a third of the size": lambda levels, _: jpeg(rescaled(levels, 0.33), 75),
    "shifted": lambda levels, rng: jpeg(moved(levels, rng), 75),
    "cropped": lambda levels, rng: jpeg(cut(levels, rng), 75),
    "shifted and rescaled": lambda levels, rng: jpeg(rescaled(moved(cut(levels, rng), rng), rng.uniform(0.5, 1.3)), 70),
}


@pytest.mark.data
def test_planted_copies_of_real_films_are_found_and_no_others() -> None:
    if not REAL_FILMS.is_dir():
        pytest.skip("../shared/data/cxr is not there")
    dataset = load_dataset(os.fsencode(REAL_FILMS))
    rng = np.random.default_rng(1)
    films, looks = list(dataset.films), list(load_looks(dataset))
    planted: list[tuple[str, int]] = []
    for name, change in PLANTED.items():
        for number in rng.choice(len(dataset), 30, replace=False).tolist():
            original = dataset.films[number]
            levels = cv2.imdecode(np.fromfile(REAL_FILMS / original.name, np.uint8), cv2.IMREAD_GRAYSCALE)
            data = cv2.imencode(".png", change(np.asarray(levels, np.uint8), rng))[1].tobytes()
            looks.append(look_of(data, f"{len(looks)}"))
            films.append(Film(b"planted", original.label, f"planted {len(films)}"))
            planted.append((name, number))
    pairs = {(copy.one, copy.other) for copy in find_copies(films, looks)}
    found = [(number, len(dataset) + at) in pairs for at, (_, number) in enumerate(planted)]
    assert np.mean(found) > 0.98
    # What else is found: four pairs of patients that the collection has under two names each, and chains
    # between their films, a copy, and another copy of the same film.
    among_real = {
        frozenset((films[one].patient_id, films[other].patient_id)) for one, other in pairs if other < len(dataset)
    }
    assert among_real == {
        frozenset({"cohen-97", "cohen-178"}),
        frozenset({"cohen-137", "cohen-202"}),
        frozenset({"cohen-192", "cohen-196"}),
        frozenset({"cohen-193", "cohen-195"}),
    }
    same = {index: number for index, (_, number) in enumerate(planted, len(dataset))}
    strange = [
        (one, other)
        for one, other in pairs
        if other >= len(dataset)
        and films[same.get(one, one)].patient_id != films[same[other]].patient_id
        and frozenset((films[same.get(one, one)].patient_id, films[same[other]].patient_id)) not in among_real
    ]
    assert strange == []


def test_looks_say_what_the_file_is(film: Levels) -> None:
    look: Look = look_of(cv2.imencode(".png", film)[1].tobytes(), "abc")
    assert (look.height, look.width, look.sha256) == (400, 400, "abc")
    assert look.form == "png, 8 bits, 1 channels, orientation 1"
    assert look.means.shape == look.deviations.shape == (16, 16)
    assert 0 <= look.means.min() < look.means.max() <= 1
