from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.training.augment import NO_AUGMENTATION, Augmentation
from wetread.imaging.opencv import cv2


def film(seed: int = 0) -> np.ndarray:
    """A smooth picture with a bright square left of the middle."""
    rows = np.mgrid[:64, :64][0]
    picture = 90 + rows / 2 + np.random.default_rng(seed).normal(scale=2, size=(64, 64))
    picture[20:30, 12:22] = 230
    return np.clip(picture, 0, 255).astype(np.uint8)


def only(**changes: float) -> Augmentation:
    return Augmentation(**(dict.fromkeys(NO_AUGMENTATION.to_json(), 0.0) | changes))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**31), st.integers(0, 500), st.integers(0, 10**6))
def test_a_change_depends_on_seed_epoch_and_index_alone(seed: int, epoch: int, index: int) -> None:
    first, again, later = (
        Augmentation().apply(film(), seed=seed, epoch=at, index=index) for at in (epoch, epoch, epoch + 1)
    )
    assert first.shape == (64, 64)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, later)


def test_the_film_itself_is_left_alone() -> None:
    picture = film()
    before = picture.copy()
    Augmentation().apply(picture, seed=1, epoch=2, index=3)
    assert np.array_equal(picture, before)
    assert np.array_equal(NO_AUGMENTATION.apply(picture, seed=1, epoch=2, index=3), before)


def test_a_shift_moves_the_square_within_its_range_and_brings_in_black() -> None:
    places = []
    for index in range(60):
        moved = only(shift=0.1).apply(film(), seed=1, epoch=0, index=index)
        rows, columns = np.nonzero(moved > 200)
        places.append((rows.mean() - 24.5, columns.mean() - 16.5))
        assert moved.shape == (64, 64)
    reach = np.abs(places).max(axis=0)
    assert (reach > 4).all() and (reach < 7.4).all()
    assert moved.min() == 0


def test_a_flip_mirrors_about_half_of_the_films() -> None:
    flipped = [
        bool(np.array_equal(only(flip=0.5).apply(film(), seed=3, epoch=0, index=index), film()[:, ::-1]))
        for index in range(200)
    ]
    assert 70 < sum(flipped) < 130
    assert np.array_equal(only(flip=1).apply(film(), seed=3, epoch=0, index=1), film()[:, ::-1])


@pytest.mark.parametrize(("change", "size"), [("contrast", 0.4), ("gamma", 0.4)])
def test_light_changes_keep_the_order_of_grey_levels(change: str, size: float) -> None:
    spreads = set()
    for index in range(20):
        relit = only(**{change: size}).apply(film(), seed=1, epoch=0, index=index)
        levels = [int(relit[film() == level][0]) for level in np.unique(film())]
        assert levels == sorted(levels)
        spreads.add(levels[-1] - levels[0])
    assert len(spreads) > 5


def test_a_blur_only_smooths() -> None:
    rough = [
        float(np.abs(np.diff(only(blur=1.5).apply(film(), seed=1, epoch=0, index=index).astype(float))).mean())
        for index in range(30)
    ]
    sharp = float(np.abs(np.diff(film().astype(float))).mean())
    assert max(rough) <= sharp
    assert min(rough) < 0.7 * sharp


def test_rotation_and_scale_keep_the_middle_in_place() -> None:
    picture = np.zeros((65, 65), dtype=np.uint8)
    picture[28:37, 28:37] = 200
    sizes = []
    for index in range(30):
        turned = only(rotation=12, scale=0.2).apply(picture, seed=1, epoch=0, index=index)
        rows, columns = np.nonzero(turned > 100)
        assert abs(rows.mean() - 32) < 0.6 and abs(columns.mean() - 32) < 0.6
        sizes.append(len(rows))
    assert min(sizes) < 70 and max(sizes) > 100


def test_compression_reaches_its_worst_quality_and_no_further() -> None:
    def error(picture: np.ndarray) -> float:
        return float(np.abs(picture.astype(int) - film()).mean())

    errors = [error(only(compression=60).apply(film(), seed=1, epoch=0, index=index)) for index in range(60)]
    worst, least = (
        error(cv2.imdecode(cv2.imencode(".jpg", film(), [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE))
        for quality in (40, 98)
    )
    assert worst * 0.9 < max(errors) <= worst * 1.01
    assert min(errors) < least < worst / 3


def test_compression_changes_nothing_else_that_is_drawn() -> None:
    for index in range(10):
        plain, compressed = (
            Augmentation(compression=strength).apply(film(), seed=5, epoch=1, index=index) for strength in (0, 0.1)
        )
        assert np.abs(plain.astype(int) - compressed).max() <= 3


def test_the_eight_changes_before_compression_are_drawn_as_before_it() -> None:
    """The options of a model's provenance must give its training films again."""
    for index in range(30):
        drawn = np.random.default_rng((5, 1, index)).uniform(-1.0, 1.0, size=8)
        mirrored = only(flip=0.5).apply(film(), seed=5, epoch=1, index=index)
        assert np.array_equal(mirrored, film()[:, ::-1] if drawn[7] < 0 else film())
