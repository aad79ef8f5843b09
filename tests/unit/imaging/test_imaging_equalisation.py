"""OpenCV's equalisation is held to the formulas in the docstring of wetread/imaging/equalisation.py."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.unit.imaging.pictures import film
from wetread.imaging.equalisation import brighten, equalise
from wetread.imaging.opencv import cv2


@st.composite
def pictures(draw: st.DrawFn) -> np.ndarray:
    """Grey levels of any size, with few or many levels, evenly or unevenly used."""
    height, width = draw(st.integers(1, 48)), draw(st.integers(1, 48))
    low, high = sorted((draw(st.integers(0, 255)), draw(st.integers(0, 255))))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = rng.random((height, width)) ** draw(st.sampled_from([0.2, 1.0, 5.0]))
    return (low + np.rint(spread * (high - low))).astype(np.uint8)


def cumulated(levels: np.ndarray) -> np.ndarray:
    return np.cumsum(np.bincount(levels.ravel(), minlength=256))


def rounded(counts: np.ndarray, whole: int) -> np.ndarray:
    """Round 255 counts / whole in float32, as OpenCV does: exactly half a level can go either way in it."""
    return np.rint(counts.astype(np.float32) * (np.float32(255) / np.float32(whole)))


@settings(deadline=None, max_examples=300)
@given(pictures())
def test_equalize_hist_is_its_formula_exactly(levels: np.ndarray) -> None:
    cdf = cumulated(levels)
    cdf_min, count = cdf[cdf > 0][0], levels.size
    assume(cdf_min < count)
    found = cv2.equalizeHist(levels)
    np.testing.assert_array_equal(found, rounded(cdf - cdf_min, count - cdf_min)[levels])
    assert np.abs(found - ((cdf - cdf_min) / (count - cdf_min) * 255)[levels]).max() <= 0.5


@settings(deadline=None, max_examples=300)
@given(pictures())
def test_clahe_of_one_tile_without_clipping_is_its_formula_exactly(levels: np.ndarray) -> None:
    cdf = cumulated(levels)
    found = equalise(levels, 0, (1, 1))
    np.testing.assert_array_equal(found, rounded(cdf, levels.size)[levels])
    assert np.abs(found - (cdf / levels.size * 255)[levels]).max() <= 0.5


def test_the_two_formulas_differ_on_a_film() -> None:
    levels = np.maximum(film(), 100)
    gap = np.abs(cv2.equalizeHist(levels).astype(int) - equalise(levels, 0, (1, 1))).max()
    assert gap > 20


def test_clipping_lowers_contrast() -> None:
    levels = (film() // 8 + 100).astype(np.uint8)
    spreads = [equalise(levels, limit, (8, 8)).std() for limit in (1.0, 2.0, 4.0, 0.0)]
    assert spreads == sorted(spreads)
    assert spreads[0] < spreads[-1]


def test_the_grid_is_columns_then_rows() -> None:
    """Left and right halves of different levels: two columns stretch each alone, two rows cannot."""
    rng = np.random.default_rng(0)
    levels = np.concatenate([rng.integers(0, 50, (64, 64)), rng.integers(200, 250, (64, 64))], axis=1).astype(np.uint8)
    columns, rows = equalise(levels, 0, (2, 1)), equalise(levels, 0, (1, 2))
    assert columns[:, :32].max() > 200
    assert rows[:, :32].max() < 135


@pytest.mark.parametrize("brightness", [-255, -40, 0, 1, 40, 255])
def test_brightness_is_added_and_held_within_black_and_white(brightness: int) -> None:
    levels = film()
    np.testing.assert_array_equal(brighten(levels, brightness), np.clip(levels.astype(int) + brightness, 0, 255))
