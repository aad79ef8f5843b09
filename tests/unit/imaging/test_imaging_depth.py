"""A film's copies of other depths become the same 8 bits."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.imaging.pictures import film
from wetread.imaging.depth import reduced_to_8_bits
from wetread.imaging.grey import Pixels
from wetread.imaging.range import normalise
from wetread.imaging.resize import reduce


def spread(pixels: Pixels, bits: int) -> Pixels:
    return np.rint(pixels * ((2**bits - 1) / 255)).astype(np.uint16)


def shifted(pixels: Pixels, bits: int) -> Pixels:
    return pixels.astype(np.uint16) << np.uint16(bits - 8)


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("copied", [spread, shifted])
@pytest.mark.parametrize("size", [(300, 380), (900, 1100)], ids=["small", "large"])
def test_a_film_and_its_copy_of_another_depth_come_out_alike(size: tuple[int, int], copied: type, bits: int) -> None:
    pixels = film(*size)
    here, there = (reduced_to_8_bits(copy, 400).astype(int) for copy in (pixels, copied(pixels, bits)))
    assert np.abs(here - there).max() <= 1
    assert np.mean(here != there) <= (0.0 if max(size) <= 400 else 0.1 if bits == 10 else 0.02)


def test_a_film_of_8_bits_is_reduced_and_no_more() -> None:
    pixels = film(900, 1100)
    np.testing.assert_array_equal(reduced_to_8_bits(pixels, 400), reduce(pixels, 400))
    assert reduced_to_8_bits(pixels, None) is pixels


@pytest.mark.parametrize(
    "narrow",
    [
        lambda pixels: np.where(np.arange(pixels.size).reshape(pixels.shape) < 3, 65535, spread(pixels, 12)),
        lambda pixels: 30_000 + spread(pixels, 12),
        lambda pixels: np.full(pixels.shape, 0),
    ],
    ids=["12 bits beside a letter at 65,535", "12 bits above 30,000", "nothing"],
)
def test_a_film_that_uses_a_small_part_of_its_depth_keeps_its_levels(narrow: type) -> None:
    pixels = narrow(film(600, 600)).astype(np.uint16)
    found = reduced_to_8_bits(pixels, 400)
    assert found.dtype == np.uint16
    if pixels.any():
        assert len(np.unique(normalise(found))) > 200


def test_the_means_of_areas_are_between_the_films_own_steps() -> None:
    stripes = np.tile(np.array([[300, 301], [300, 303]], np.uint16), (50, 50))
    stripes[:, :20], stripes[:, 80:] = 0, 1023
    found = reduced_to_8_bits(stripes, 50)[:, 15:35]
    assert set(np.unique(found)) == {round(301 * 255 / 1023)}
