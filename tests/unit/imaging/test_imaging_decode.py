"""What each kind of picture becomes."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from schemas.errors import Rejected
from schemas.reasons import Reason
from tests.unit.imaging.pictures import (
    chunk,
    encoded,
    film,
    jpeg_segment,
    png,
    ramp,
    rotated_exif,
    tiff,
    with_segment,
)
from wetread.imaging.decode import Grey, decode, read_header
from wetread.imaging.opencv import cv2

GREY = ramp()
WIDE = GREY.astype(np.uint16) * 257
HALF = np.full_like(GREY, 128)


def rejected(data: bytes) -> Reason:
    with pytest.raises(Rejected) as caught:
        decode(data)
    assert caught.value.detail
    return caught.value.reason


def stacked(*channels: np.ndarray) -> np.ndarray:
    return np.stack(channels, axis=-1)


@pytest.mark.parametrize(
    ("data", "bits", "channels"),
    [
        (encoded(".png", GREY), 8, 1),
        (png(stacked(GREY, GREY * 0 + 255), 8, 4), 8, 2),
        (encoded(".png", stacked(GREY, GREY, GREY)), 8, 3),
        (encoded(".png", stacked(GREY, GREY, GREY, GREY * 0 + 255)), 8, 4),
        (png(GREY, 8, 3, chunk(b"PLTE", bytes(level for level in range(256) for _ in "rgb"))), 8, 3),
        (encoded(".tif", GREY), 8, 1),
        (encoded(".tif", stacked(GREY, GREY, GREY)), 8, 3),
        (tiff(GREY), 8, 1),
        (tiff(GREY, order=">"), 8, 1),
        (tiff(255 - GREY, 0), 8, 1),
        (tiff((GREY.astype(np.int16) - 128).astype(np.int8)), 8, 1),
        (tiff(stacked(GREY, GREY, GREY), 2, planar=2), 8, 3),
        (tiff(GREY, 3, tags=[(320, 3, tuple(level * 257 for level in range(256)) * 3)]), 8, 3),
    ],
    ids=[
        "png grey", "png grey+alpha", "png rgb", "png rgba", "png palette", "tiff grey", "tiff rgb", "tiff pixels last",
        "tiff big-endian", "tiff white is zero", "tiff signed", "tiff planes", "tiff palette",
    ],
)  # fmt: skip
def test_every_eight_bit_lossless_form_gives_the_same_grey(data: bytes, bits: int, channels: int) -> None:
    grey = decode(data)
    assert (grey.bits, grey.channels, grey.orientation) == (bits, channels, 1)
    assert grey.pixels.dtype == np.uint8
    np.testing.assert_array_equal(grey.pixels, GREY)


@pytest.mark.parametrize(
    "data",
    [
        encoded(".png", WIDE),
        png(stacked(WIDE, WIDE * 0 + 65535), 16, 4),
        encoded(".png", stacked(WIDE, WIDE, WIDE)),
        encoded(".png", stacked(WIDE, WIDE, WIDE, WIDE * 0 + 65535)),
        encoded(".tif", WIDE),
        tiff(WIDE, order=">"),
        tiff(65535 - WIDE, 0),
        tiff((WIDE.astype(np.int32) - 2**15).astype(np.int16)),
        tiff(stacked(WIDE, WIDE, WIDE), 2),
        tiff(stacked(WIDE, WIDE, WIDE, WIDE * 0 + 65535), 2, tags=[(338, 3, (2,))]),
    ],
    ids=[
        "png",
        "png la",
        "png rgb",
        "png rgba",
        "tiff",
        "tiff be",
        "tiff white",
        "tiff signed",
        "tiff rgb",
        "tiff rgba",
    ],
)
def test_every_sixteen_bit_form_keeps_its_depth(data: bytes) -> None:
    grey = decode(data)
    assert grey.bits == 16
    assert grey.pixels.dtype == np.uint16
    np.testing.assert_array_equal(grey.pixels, WIDE)


@pytest.mark.parametrize(
    ("settings", "channels"),
    [((), 1), ((), 3), ((cv2.IMWRITE_JPEG_PROGRESSIVE, 1), 1), ((cv2.IMWRITE_JPEG_RST_INTERVAL, 4), 3)],
    ids=["grey", "rgb", "progressive", "restarts"],
)
def test_jpeg_forms_give_grey_within_their_loss(settings: tuple[int, ...], channels: int) -> None:
    pixels = GREY if channels == 1 else stacked(GREY, GREY, GREY)
    grey = decode(encoded(".jpg", pixels, *settings))
    assert (grey.format, grey.channels, grey.pixels.dtype) == ("jpeg", channels, np.uint8)
    assert np.abs(grey.pixels.astype(int) - GREY).max() <= 4


@pytest.mark.parametrize("extension", [".png", ".tif", ".jpg"])
def test_colours_become_luminance(extension: str) -> None:
    blue, green, red = film(seed=1), film(seed=2), film(seed=3)
    wanted = 0.299 * red + 0.587 * green + 0.114 * blue
    loss = 12 if extension == ".jpg" else 1
    assert np.abs(decode(encoded(extension, stacked(blue, green, red))).pixels - wanted).max() <= loss


@pytest.mark.parametrize(
    "data",
    [
        png(stacked(GREY, HALF), 8, 4),
        encoded(".png", stacked(GREY, GREY, GREY, HALF)),
        png(GREY, 8, 3, chunk(b"PLTE", bytes(v for v in range(256) for _ in "rgb")) + chunk(b"tRNS", b"\x80" * 256)),
        tiff(stacked(GREY, GREY, GREY, HALF), 2, tags=[(338, 3, (2,))]),
    ],
    ids=["grey+alpha", "rgba", "palette with alpha", "tiff rgba"],
)
def test_alpha_is_composed_over_black(data: bytes) -> None:
    assert np.abs(decode(data).pixels - GREY * (128 / 255)).max() <= 1


def test_alpha_of_sixteen_bits_is_composed_over_black() -> None:
    half = np.full_like(WIDE, 32768)
    wanted = WIDE * (32768 / 65535)
    for data in (
        encoded(".png", stacked(WIDE, WIDE, WIDE, half)),
        tiff(stacked(WIDE, WIDE, WIDE, half), 2, tags=[(338, 3, (2,))]),
    ):
        assert np.abs(decode(data).pixels - wanted).max() <= 1


def test_alpha_that_is_already_multiplied_is_not_applied_twice() -> None:
    for samples in (stacked(GREY, GREY, GREY, HALF), stacked(WIDE, WIDE, WIDE, WIDE * 0 + 32768)):
        data = tiff(samples, 2, tags=[(338, 3, (1,))])
        np.testing.assert_array_equal(decode(data).pixels, samples[..., 0])


@pytest.mark.parametrize(("bits", "key"), [(2, 1), (4, 7), (8, 100), (16, 25700)])
def test_a_transparent_grey_value_becomes_black(bits: int, key: int) -> None:
    samples = WIDE if bits == 16 else GREY >> (8 - bits)
    grey = decode(png(samples, bits, 0, chunk(b"tRNS", struct.pack(">H", key)))).pixels
    assert (samples == key).any()
    assert (grey[samples == key] == 0).all()
    assert (grey[(samples != key) & (samples != 0)] > 0).all()


def test_a_transparent_colour_becomes_black() -> None:
    key = int(GREY[50, 50])
    grey = decode(png(stacked(GREY, GREY, GREY), 8, 2, chunk(b"tRNS", struct.pack(">HHH", key, key, key)))).pixels
    np.testing.assert_array_equal(grey, np.where(key == GREY, 0, GREY))


@pytest.mark.parametrize(
    "samples",
    [WIDE.astype(np.float32), WIDE.astype(np.float64), WIDE.astype(np.int32), WIDE.astype(np.uint32)],
    ids=lambda samples: samples.dtype.name,
)
def test_wide_tiff_samples_become_float32(samples: np.ndarray) -> None:
    grey = decode(tiff(samples))
    assert grey.pixels.dtype == np.float32
    np.testing.assert_array_equal(grey.pixels, WIDE)
    inverted = decode(tiff(samples, 0)).pixels
    assert inverted[0, 0] > inverted[-1, -1]


def test_float_samples_that_are_not_finite_become_the_darkest() -> None:
    samples = WIDE.astype(np.float32) + 5
    samples[0, :3] = (np.nan, np.inf, -np.inf)
    grey = decode(tiff(samples)).pixels
    assert np.isfinite(grey).all()
    assert (grey[0, :3] == grey.min()).all()
    np.testing.assert_array_equal(grey[1:], samples[1:])


def test_float_samples_of_nothing_but_nan_are_rejected() -> None:
    assert rejected(tiff(np.full((80, 80), np.nan, np.float32))) is Reason.UNDECODABLE


def test_twelve_bits_in_sixteen_are_kept() -> None:
    samples = (WIDE >> 4).astype(np.uint16)
    np.testing.assert_array_equal(decode(encoded(".png", samples)).pixels, samples)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("form", ["png", "jpeg", "tiff", "tiff16"])
def test_rotation_is_recorded_and_not_applied(form: str, orientation: int, order: str) -> None:
    exif = rotated_exif(orientation, order)
    data = {
        "png": png(GREY, 8, 0, chunk(b"eXIf", exif)),
        "jpeg": with_segment(encoded(".jpg", GREY), jpeg_segment(0xE1, b"Exif\0\0" + exif)),
        "tiff": tiff(GREY, order=order, tags=[(274, 3, (orientation,))]),
        "tiff16": tiff(WIDE, order=order, tags=[(274, 4 if orientation > 4 else 3, (orientation,))]),
    }[form]
    grey = decode(data)
    assert grey.orientation == orientation
    shown = grey.pixels if form != "tiff16" else grey.pixels // 257
    assert np.abs(shown.astype(int) - GREY).max() <= (4 if form == "jpeg" else 0)


def test_an_impossible_rotation_is_ignored() -> None:
    damaged = rotated_exif(6)[:-9]
    for exif in (rotated_exif(0), rotated_exif(9), damaged, b"", b"nonsense"):
        assert decode(png(GREY, 8, 0, chunk(b"eXIf", exif))).orientation == 1


def cmyk_jpeg(*, adobe: bool) -> bytes:
    """A JPEG of four components: OpenCV writes none, so one is made from four grey ones by Pillow where it is there."""
    image = pytest.importorskip("PIL.Image", reason="Pillow, which comes with matplotlib, writes the CMYK JPEG")
    import io

    file = io.BytesIO()
    image.fromarray(stacked(GREY, GREY, GREY)).convert("CMYK").save(file, "JPEG", quality=98)
    data = file.getvalue()
    at = data.index(b"\xff\xee")
    assert data[at + 4 : at + 9] == b"Adobe"
    return data if adobe else data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]


def test_cmyk_is_converted() -> None:
    grey = decode(cmyk_jpeg(adobe=True))
    assert grey.channels == 4
    assert np.abs(grey.pixels.astype(int) - GREY).max() <= 6


def test_cmyk_whose_polarity_is_unknown_is_rejected() -> None:
    assert rejected(cmyk_jpeg(adobe=False)) is Reason.UNDECODABLE


@pytest.mark.parametrize(
    "data",
    [
        tiff(stacked(GREY, HALF), tags=[(338, 3, (2,))]),
        tiff(stacked(WIDE, WIDE, WIDE), 2, planar=2),
        tiff(WIDE, 3, tags=[(320, 3, tuple(range(65_536)) * 3)]),
        tiff(GREY, 32844),
    ],
    ids=["grey+alpha", "16-bit planes", "16-bit palette", "LogL"],
)
def test_a_tiff_that_opencv_would_misread_is_rejected(data: bytes) -> None:
    assert rejected(data) is Reason.UNDECODABLE


def test_the_header_is_read_without_the_pixels() -> None:
    header = read_header(png(GREY, 8, 0, size=(20_000, 20_000)))
    assert (header.format, header.width, header.height, header.bits) == ("png", 20_000, 20_000, 8)


def test_a_decoded_film_prints_short() -> None:
    grey: Grey = decode(encoded(".png", GREY))
    assert "array" not in repr(grey)
