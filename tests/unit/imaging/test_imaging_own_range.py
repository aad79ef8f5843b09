"""A picture is the same however it is stored: what is added to its values, or lies between them, changes nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.imaging.dicoms import dicom
from tests.unit.imaging.pictures import film
from wetread.imaging.decode import decode
from wetread.imaging.depth import own_8_bits
from wetread.imaging.even_steps import even_steps
from wetread.imaging.preprocess import Preprocess
from wetread.imaging.range import normalise
from wetread.imaging.resize import reduce

RECORD = Preprocess()


def deep(height: int = 90, width: int = 100, seed: int = 0) -> np.ndarray:
    """A film of 12 bits of which most of 3,000 values occur."""
    smooth = film(height, width, seed).astype(np.float64) / 255
    noise = np.random.default_rng(seed).normal(0, 0.01, smooth.shape)
    return np.rint(np.clip(smooth + noise, 0, 1) * 3000).astype(np.uint16)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 1000),
    offset=st.integers(0, 60_000),
    side=st.sampled_from([90, 460, 900]),
    shift=st.integers(0, 4),
)
def test_copies_of_a_deep_film_are_the_same_input(seed: int, offset: int, side: int, shift: int) -> None:
    pixels = deep(side, side + 30, seed)
    wanted = RECORD.apply(pixels)
    np.testing.assert_array_equal(RECORD.apply(pixels + np.uint16(offset)), wanted)
    np.testing.assert_array_equal(RECORD.apply(pixels << np.uint16(shift)), wanted)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 1000), spare=st.integers(0, 4), side=st.sampled_from([90, 460]), signed=st.booleans())
def test_copies_in_dicom_are_the_same_input(seed: int, spare: int, side: int, signed: bool) -> None:
    """12 bits as they are, in more bits, signed, inverted, and inverted within more bits."""
    pixels, bits = deep(side, side + 20, seed).astype(int), 12 + spare
    top, least = 2**bits - 1, 2 ** (bits - 1) if signed else 0
    kind = np.int16 if signed else np.uint16
    wanted = RECORD.apply(decode(dicom(pixels.astype(np.uint16), bits=12)).pixels)
    light = dicom((pixels - least).astype(kind), bits=bits)
    dark = dicom((top - pixels - least).astype(kind), bits=bits, PhotometricInterpretation="MONOCHROME1")
    inverse = dicom((top - pixels - least).astype(kind), bits=bits, PresentationLUTShape="INVERSE")
    for copy in (light, dark, inverse):
        np.testing.assert_array_equal(RECORD.apply(decode(copy).pixels), wanted)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 1000), centre=st.integers(600, 2400), width=st.integers(300, 4000), offset=st.integers(0, 9999)
)
def test_a_window_moves_with_the_values(seed: int, centre: int, width: int, offset: int) -> None:
    pixels = deep(seed=seed)
    first = dicom(pixels, bits=12, WindowCenter=str(centre), WindowWidth=str(width))
    moved = dicom(pixels + np.uint16(offset), bits=16, WindowCenter=str(centre + offset), WindowWidth=str(width))
    assert np.abs(RECORD.apply(decode(first).pixels) - RECORD.apply(decode(moved).pixels)).max() <= 1.01 / 255


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("rounded", [np.rint, np.floor], ids=["rounded", "cut off"])
@pytest.mark.parametrize("size", [(300, 380), (900, 1100)], ids=["small", "large"])
def test_an_8_bit_film_spread_over_more_is_an_8_bit_film(size: tuple[int, int], rounded: type, bits: int) -> None:
    pixels = film(*size)
    copy = rounded(pixels * ((2**bits - 1) / 255)).astype(np.uint16)
    wanted = normalise(reduce(pixels, 400)).astype(int)
    for stored in (copy, copy + np.uint16(min(999, 65535 - copy.max()))):
        found = normalise(own_8_bits(stored, 400)).astype(int)
        assert np.mean(found != wanted) < 0.02
        assert np.abs(found - wanted).max() <= 2


def test_films_of_8_bits_are_reduced_and_no_more() -> None:
    pixels = film(900, 1100)
    np.testing.assert_array_equal(own_8_bits(pixels, 400), reduce(pixels, 400))
    assert own_8_bits(pixels, None) is pixels


@pytest.mark.parametrize("levels", [2, 3, 12, 40])
def test_the_means_of_few_levels_lie_between_them(levels: int) -> None:
    few = (film(900, 1100) // (256 // levels)).astype(np.uint8)
    assert len(np.unique(own_8_bits(few, 100))) > 100
    np.testing.assert_array_equal(own_8_bits(few.astype(np.uint16) * 1000 + 77, 100), own_8_bits(few, 100))


def test_a_letter_far_beyond_the_film_takes_no_levels_from_it() -> None:
    pixels = deep(600, 600)
    pixels[0, :3] = 65535
    assert len(np.unique(normalise(own_8_bits(pixels, 400)))) > 200


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ([7], 1),
        ([7, 9], 1),
        (range(50, 100), 49),
        (range(0, 4000, 16), 249),
        (np.rint(np.arange(256) * 16.0588), 255),
        (np.rint(np.arange(4096) * 16.003663), 4095),
        ([0, 1, 5, 9, 14, 31], 31),
        (np.rint(np.union1d(np.arange(0, 4096, 3), np.arange(0, 4096, 7)) * 16.003663), 4095),
        (np.random.default_rng(3).permutation(65536)[:400], None),
    ],
)
def test_even_steps_are_found_where_they_are(values: object, count: int | None) -> None:
    pixels = np.sort(np.asarray(list(values), np.uint16))  # type: ignore[call-overload]  # any iterable of numbers
    found = even_steps(np.resize(pixels, (64, pixels.size)))
    assert (found.least, found.most) == (pixels[0], pixels[-1])
    assert found.count == (found.span if count is None else count)


def test_an_older_record_keeps_its_way() -> None:
    older = replace(RECORD, own_range=False)
    assert "own_range" not in older.to_json()
    assert Preprocess.from_json(older.to_json()) == older
    pixels = deep(500, 500) + np.uint16(20_000)
    assert (older.apply(pixels) != RECORD.apply(pixels)).any()
    np.testing.assert_array_equal(older.apply(film(500, 500)), RECORD.apply(film(500, 500)))
