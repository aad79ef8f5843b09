"""One range normalisation, whatever the depth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import Rejected
from schemas.reasons import Reason
from tests.unit.imaging.pictures import film, ramp
from wetread.imaging.range import TAIL, normalise


def wanted(pixels: np.ndarray) -> np.ndarray:
    """The docstring's definition, in float64."""
    ordered = np.sort(pixels.ravel().astype(np.float64))
    rank = int(TAIL * (ordered.size - 1))
    low, high = ordered[rank], ordered[-1 - rank]
    return np.clip((pixels.astype(np.float64) - low) / (high - low) * 255, 0, 255)


@settings(deadline=None, max_examples=150)
@given(
    dtype=st.sampled_from([np.uint8, np.uint16, np.float32]),
    seed=st.integers(0, 1000),
    low=st.floats(0, 0.4),
    high=st.floats(0.6, 1),
)
def test_each_depth_follows_the_definition(dtype: type, seed: int, low: float, high: float) -> None:
    full = {np.uint8: 255, np.uint16: 65535, np.float32: 1.0}[dtype]
    pixels = ((low + film(80, 90, seed) / 255 * (high - low)) * full).astype(dtype)
    assert np.abs(normalise(pixels) - wanted(pixels)).max() <= 0.51


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_range_begins_and_ends_at_the_rank_of_the_tail(dtype: type) -> None:
    """Of 1001 pixels five may fall below the range and five above it, and the sixth is its end."""
    pixels = np.linspace(80, 120, 1001).round().astype(dtype)[:, None]
    pixels[:5], pixels[-5:], pixels[5], pixels[-6] = 0, 250, 50, 200
    assert np.unique(normalise(pixels)[[5, -6]]).tolist() == [0, 255]
    assert np.abs(normalise(pixels) - wanted(pixels)).max() <= 0.51


def test_a_film_looks_the_same_in_every_depth() -> None:
    levels = film()
    plain = normalise(levels)
    others = (
        levels.astype(np.uint16) * 257,
        levels.astype(np.uint16) * 16,
        levels.astype(np.float32) / 255,
        levels.astype(np.float32) * 1e6 - 5e7,
        levels.astype(np.float32) * 1e-30,
        levels.astype(np.float32) * 1e36,
    )
    for other in others:
        assert np.abs(normalise(other).astype(int) - plain).max() <= 1


def test_a_burnt_in_letter_does_not_blacken_a_twelve_bit_film() -> None:
    pixels = film(400, 400).astype(np.uint16) * 16
    pixels[5:25, 5:25] = 65535
    assert normalise(pixels)[30:].mean() > 0.9 * normalise(pixels[30:]).mean()


def test_a_film_of_full_range_is_returned_as_it_is() -> None:
    levels = np.tile(np.clip(np.arange(-20, 276), 0, 255).astype(np.uint8), (256, 1))
    assert normalise(levels) is levels


def test_detail_in_fewer_pixels_than_the_tails_is_kept() -> None:
    pixels = np.zeros((200, 200), np.uint16)
    pixels[:5, :20] = 40_000
    assert np.unique(normalise(pixels)).tolist() == [0, 255]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_one_value_is_flat(dtype: type) -> None:
    with pytest.raises(Rejected) as caught:
        normalise(np.full((70, 70), 7, dtype))
    assert caught.value.reason is Reason.FLAT


def test_the_film_given_is_not_altered() -> None:
    for pixels in (ramp(), ramp().astype(np.uint16), ramp().astype(np.float32)):
        before = pixels.copy()
        normalise(pixels)
        np.testing.assert_array_equal(pixels, before)


def test_samples_far_beyond_the_range_are_held_at_its_ends() -> None:
    """The share of the range that they are at is no number that float32 holds."""
    pixels = np.linspace(0.0, 1e-30, 40_000, dtype=np.float32).reshape(200, 200)
    pixels[0, :10], pixels[1, :10] = np.float32(3e38), np.float32(-3e38)
    levels = normalise(pixels)
    assert (levels[0, :10] == 255).all() and (levels[1, :10] == 0).all()
    assert 120 < levels[100, 100] < 136
