"""A JPEG 2000 within a DICOM is decoded at the level that is large enough, and stays in its place there."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import HTJ2KLossless, JPEG2000Lossless

from schemas.errors import Rejected
from schemas.reasons import Reason
from tests.unit.imaging.dicoms import dicom
from tests.unit.imaging.pictures import film
from wetread.imaging.decode import decode
from wetread.imaging.header import Enough
from wetread.imaging.opencv import cv2
from wetread.imaging.preprocess import Preprocess


def smooth(height: int, width: int) -> np.ndarray:
    """12 bits, without anything as fine as a pixel."""
    shapes = cv2.resize(film(40, 40), (width, height), interpolation=cv2.INTER_CUBIC)
    return shapes.astype(np.uint16) * 16


def kept(pixels: np.ndarray, syntax: str, **elements: object) -> bytes:
    """The film within a DICOM, in five levels."""
    if syntax == HTJ2KLossless:
        stream = imagecodecs.htj2k_encode(pixels, reversible=True)
    else:
        stream = imagecodecs.jpeg2k_encode(pixels, 0, bitspersample=16, codecformat="j2k", reversible=True)
        stream += b"\0" * (len(stream) % 2)
        syntax = "1.2.840.10008.1.2.4.91"  # of which `dicom` encodes nothing
    return dicom(pixels, syntax, PixelData=encapsulate([stream]), **elements)


BOTH = pytest.mark.parametrize("syntax", [JPEG2000Lossless, HTJ2KLossless], ids=lambda syntax: syntax.name)


@BOTH
@pytest.mark.parametrize(
    ("size", "enough", "wanted"),
    [
        ((500, 400), 250, (250, 200)),
        ((500, 400), 251, (500, 400)),
        ((521, 400), 130, (131, 100)),
        ((522, 401), 65, (66, 51)),
        ((403, 525), 100, (101, 132)),
        ((500, 400), 1, (16, 13)),
        ((500, 400), None, (500, 400)),
    ],
)
def test_the_longer_side_keeps_what_is_enough(
    syntax: str, size: tuple[int, int], enough: int | None, wanted: tuple[int, int]
) -> None:
    assert decode(kept(smooth(*size), syntax), Enough(wavelets=enough)).pixels.shape == wanted


@BOTH
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_level_shows_what_means_of_areas_show(syntax: str, level: int, signed: bool) -> None:
    pixels = smooth(800, 640)
    stored = (pixels.astype(np.int32) - 2048).astype(np.int16) if signed else pixels
    shown = decode(
        kept(stored, syntax, WindowCenter=["2048" if not signed else "0"], WindowWidth="4096"),
        Enough(wavelets=800 >> level),
    )
    whole = decode(kept(stored, syntax, WindowCenter=["2048" if not signed else "0"], WindowWidth="4096"))
    means = cv2.resize(whole.pixels, shown.pixels.shape[::-1], interpolation=cv2.INTER_AREA).astype(int)
    apart = np.abs(shown.pixels.astype(int) - means)[2:-2, 2:-2]
    assert apart.mean() < 0.004 * 65535
    moved = np.abs(np.roll(shown.pixels, 1, axis=1).astype(int) - means)[2:-2, 2:-2]
    assert moved.mean() > 2 * apart.mean()


@BOTH
def test_the_network_sees_nearly_what_all_pixels_give(syntax: str) -> None:
    shapes = cv2.resize(film(400, 400), (2048, 2500), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(1).normal(0, 12, shapes.shape)
    data = kept(np.clip(shapes * 16.0 + grain, 0, 4095).astype(np.uint16), syntax)
    record = Preprocess()
    part = decode(data, record.enough)
    assert max(part.pixels.shape) == 625
    assert np.abs(record.apply(decode(data).pixels) - record.apply(part.pixels)).mean() < 1 / 255


@BOTH
def test_a_film_with_padding_or_in_colour_is_decoded_whole(syntax: str) -> None:
    pixels = smooth(400, 320)
    padded = pixels.copy()
    padded[:50] = 4095
    data = kept(padded, syntax, PixelPaddingValue=4095)
    np.testing.assert_array_equal(decode(data, Enough(wavelets=50)).pixels, decode(data).pixels)
    assert decode(kept(pixels, syntax), Enough(wavelets=50)).pixels.shape == (50, 40)


@BOTH
def test_a_codestream_without_levels_is_decoded_whole(syntax: str) -> None:
    pixels = smooth(400, 320)
    stream = imagecodecs.jpeg2k_encode(pixels, 0, bitspersample=16, codecformat="j2k", reversible=True, resolutions=1)
    data = dicom(pixels, "1.2.840.10008.1.2.4.91", PixelData=encapsulate([stream + b"\0" * (len(stream) % 2)]))
    np.testing.assert_array_equal(decode(data, Enough(wavelets=50)).pixels, pixels)


@BOTH
@pytest.mark.parametrize("percent", [30, 60, 90])
def test_a_level_of_a_cut_codestream_is_not_read(syntax: str, percent: int) -> None:
    data = kept(smooth(400, 320), syntax)
    start = data.index(b"\xff\x4f\xff\x51")
    cut = data[start : start + (len(data) - start) * percent // 100]
    film_of_cut = dicom(
        smooth(400, 320), "1.2.840.10008.1.2.4.91", PixelData=encapsulate([cut + b"\0" * (len(cut) % 2)])
    )
    with pytest.raises(Rejected) as refused:
        decode(film_of_cut, Enough(wavelets=50))
    assert refused.value.reason is Reason.TRUNCATED
