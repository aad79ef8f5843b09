"""A large JPEG at a fraction of its size: how large, of what, and how near to all of its pixels."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import generate_frames
from pydicom.uid import JPEGLosslessSV1

from schemas.errors import Rejected
from schemas.reasons import Reason
from tests.unit.imaging.dicoms import dicom
from tests.unit.imaging.pictures import encoded, film, jpeg_segment, png, rotated_exif, tiff, with_segment
from wetread.imaging.decode import ALL, decode
from wetread.imaging.header import Enough
from wetread.imaging.opencv import cv2
from wetread.imaging.preprocess import Preprocess

PROGRESSIVE = (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)


@pytest.mark.parametrize(
    ("height", "width", "enough", "wanted"),
    [
        (1000, 800, 500, (500, 400)),
        (800, 1000, 500, (400, 500)),
        (1000, 800, 501, (1000, 800)),
        (1001, 803, 500, (501, 402)),
        (1000, 800, 250, (250, 200)),
        (1000, 800, 125, (125, 100)),
        (1003, 997, 100, (126, 125)),
        (1000, 800, 20, (125, 100)),
        (1000, 800, None, (1000, 800)),
    ],
)
@pytest.mark.parametrize("progressive", [(), PROGRESSIVE], ids=["baseline", "progressive"])
def test_the_longer_side_keeps_what_is_enough(
    height: int, width: int, enough: int | None, wanted: tuple[int, int], progressive: tuple[int, ...]
) -> None:
    grey = decode(encoded(".jpg", film(height, width), *progressive), Enough(jpeg=enough))
    assert grey.pixels.shape == wanted
    assert grey.pixels.dtype == np.uint8


def test_what_is_no_jpeg_is_decoded_whole() -> None:
    pixels = film(900, 700)
    for data in (encoded(".png", pixels), png(pixels, 8, 0), tiff(pixels)):
        np.testing.assert_array_equal(decode(data, Enough(100, 100)).pixels, pixels)


def test_a_lossless_jpeg_which_has_no_fractions_is_decoded_whole() -> None:
    pixels = film(1600, 800)
    record = dcmread(io.BytesIO(dicom(pixels, JPEGLosslessSV1, bits=8)), force=True)
    data = next(generate_frames(record.PixelData, number_of_frames=1))
    np.testing.assert_array_equal(decode(data, Enough(400, 400)).pixels, pixels)


def test_a_rotation_is_still_not_applied() -> None:
    data = with_segment(encoded(".jpg", film(1000, 600)), jpeg_segment(0xE1, b"Exif\0\0" + rotated_exif(6)))
    assert decode(data, Enough(jpeg=200)).pixels.shape == (250, 150)


def test_colours_become_the_same_grey() -> None:
    colours = np.stack([film(800, 800, seed) for seed in range(3)], axis=-1)
    data = encoded(".jpg", colours)
    whole = cv2.resize(decode(data).pixels, (400, 400), interpolation=cv2.INTER_AREA)
    assert np.abs(decode(data, Enough(jpeg=400)).pixels.astype(int) - whole).max() <= 3


def test_every_bit_of_the_file_is_still_read() -> None:
    data = bytearray(encoded(".jpg", film(1000, 800)))
    with pytest.raises(Rejected) as cut:
        decode(bytes(data[: len(data) // 2]) + b"\xff\xd9", Enough(jpeg=100))
    assert cut.value.reason is Reason.TRUNCATED


@pytest.mark.parametrize("size", [(1600, 1400), (2000, 2430), (3300, 3200)])
def test_the_network_sees_nearly_what_all_pixels_give(size: tuple[int, int]) -> None:
    shapes = cv2.resize(film(400, 400), size[::-1], interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(1).normal(0, 6, size)
    data = encoded(".jpg", np.clip(shapes + grain, 0, 255).astype(np.uint8))
    record = Preprocess()
    of_all = record.apply(decode(data).pixels)
    of_fraction = record.apply(decode(data, record.enough).pixels)
    assert np.abs(of_all - of_fraction).mean() < 1 / 255
    assert np.abs(of_all - of_fraction).max() < 8 / 255


def test_a_film_of_less_than_four_times_the_working_size_is_not_touched() -> None:
    record = Preprocess()
    data = encoded(".jpg", film(1599, 1200))
    np.testing.assert_array_equal(decode(data, record.enough).pixels, decode(data).pixels)


def test_the_record_says_what_is_enough() -> None:
    assert Preprocess().enough == Enough(jpeg=800, wavelets=600)
    assert replace(Preprocess(), working_size=None).enough == ALL
    assert replace(Preprocess(), reduced_decoding=False).enough == Enough(wavelets=600)
    assert replace(Preprocess(), reduced_wavelets=False).enough == Enough(jpeg=800)


def test_a_record_of_before_means_all_pixels_and_keeps_its_digest() -> None:
    whole = replace(Preprocess(), reduced_decoding=False)
    assert "reduced_decoding" not in whole.to_json()
    assert Preprocess.from_json(whole.to_json()) == whole
    assert Preprocess().to_json()["reduced_decoding"] is True
