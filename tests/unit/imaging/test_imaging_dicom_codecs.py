"""Compressed pixels that no decoder complains of: coded data that ends early, and segments that lie elsewhere."""

from __future__ import annotations

import struct

import imagecodecs
import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000, JPEGExtended12Bit, JPEGLossless, JPEGLSNearLossless, RLELossless

from schemas.errors import Rejected
from schemas.reasons import Reason
from tests.unit.imaging.dicoms import dicom
from tests.unit.imaging.pictures import film
from wetread.imaging.decode import decode

FILM = film(72, 80)
DEEP = FILM.astype(np.uint16) * 16 + 7
COLOUR = np.stack([film(72, 80, seed) for seed in range(3)], axis=-1)


def within(stream: bytes, pixels: np.ndarray, syntax: str, **elements: object) -> bytes:
    """A DICOM of a codestream; `pixels` give its size and type."""
    return dicom(pixels, syntax, PixelData=encapsulate([stream + b"\0" * (len(stream) % 2)]), **elements)


def ended_early(stream: bytes, missing: int) -> bytes:
    """The coded data without its last bytes, closed again; no 0xFF is left to be one half of a marker."""
    return stream[: -2 - missing].rstrip(b"\xff") + b"\xff\xd9"


def lossless(pixels: np.ndarray, bits: int, predictor: int) -> bytes:
    return imagecodecs.jpeg8_encode(pixels, lossless=True, bitspersample=bits, predictor=predictor)


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize(("pixels", "bits"), [(FILM, 8), (DEEP, 12), (DEEP * 16, 16)], ids=["8", "12", "16"])
def test_lossless_jpegs_of_every_predictor_give_the_stored_pixels_and_are_refused_without_their_end(
    pixels: np.ndarray, bits: int, predictor: int
) -> None:
    stream = lossless(pixels, bits, predictor)
    assert np.array_equal(decode(within(stream, pixels, JPEGLossless, bits=bits)).pixels, pixels)
    for missing in (2, 3, 10, 100, 1000):
        with pytest.raises(Rejected) as refused:
            decode(within(ended_early(stream, missing), pixels, JPEGLossless, bits=bits))
        assert refused.value.reason is Reason.TRUNCATED


def test_a_lossless_jpeg_of_noise_over_all_16_bits_is_read() -> None:
    pixels = np.random.default_rng(3).integers(0, 2**16, (72, 80)).astype(np.uint16)
    pixels[0, :3] = 0, 2**15, 0  # a difference whose size is 16
    assert np.array_equal(decode(within(lossless(pixels, 16, 1), pixels, JPEGLossless)).pixels, pixels)


def test_a_lossless_jpeg_of_fewer_bits_than_its_samples_take_is_read() -> None:
    stream = lossless(FILM, 8, 1)
    assert np.array_equal(decode(within(stream, FILM.astype(np.uint16), JPEGLossless)).pixels, FILM)


@pytest.mark.parametrize("kind", ["twelve bits", "colour", "colour, lossless"])
def test_other_jpegs_that_end_early_are_refused(kind: str) -> None:
    if kind == "twelve bits":
        stream, pixels, syntax = imagecodecs.jpeg8_encode(DEEP, 90, bitspersample=12), DEEP, JPEGExtended12Bit
        said: dict[str, object] = {"bits": 12}
    elif kind == "colour":
        stream, pixels, syntax = imagecodecs.jpeg8_encode(COLOUR, 90, subsampling="420"), COLOUR, JPEGExtended12Bit
        said = {"PhotometricInterpretation": "YBR_FULL_422"}
    else:
        stream = imagecodecs.jpeg8_encode(COLOUR, lossless=True, colorspace="RGB", outcolorspace="RGB")
        pixels, syntax, said = COLOUR, JPEGLossless, {}
    decode(within(stream, pixels, syntax, **said))
    for missing in (3, 10, 100, 1000):
        with pytest.raises(Rejected) as refused:
            decode(within(ended_early(stream, missing), pixels, syntax, **said))
        assert refused.value.reason is Reason.TRUNCATED


@pytest.mark.parametrize("near", [0, 2])
def test_a_jpeg_ls_that_ends_early_is_refused(near: int) -> None:
    stream = imagecodecs.jpegls_encode(DEEP, near)
    assert np.abs(decode(within(stream, DEEP, JPEGLSNearLossless)).pixels.astype(int) - DEEP).max() <= near
    for missing in (2, 10, 100):
        with pytest.raises(Rejected):
            decode(within(ended_early(stream, missing), DEEP, JPEGLSNearLossless))


def rle(offsets: tuple[int, ...], count: int | None = None) -> bytes:
    """A film in RLE whose header has other offsets."""
    data = dicom(DEEP, RLELossless, bits=12)
    at = data.index(struct.pack("<2I", 2, 64))
    header = struct.pack("<16I", len(offsets) if count is None else count, *offsets, *[0] * (15 - len(offsets)))
    return data[:at] + header + data[at + 64 :]


@pytest.mark.parametrize(
    ("offsets", "count"),
    [
        ((64, 2**31), None),
        ((64, 2**32 - 1), None),
        ((2**31, 2**31 + 5), None),
        ((64, 3), None),
        ((0, 64), None),
        ((64,), None),
        ((64, 70, 80), None),
        ((64, 70), 2**32 - 1),
        ((64, 70), 0),
    ],
)
def test_segments_of_rle_that_lie_elsewhere_are_not_looked_for(offsets: tuple[int, ...], count: int | None) -> None:
    with pytest.raises(Rejected) as refused:
        decode(rle(offsets, count))
    assert refused.value.reason is Reason.UNDECODABLE


def test_padding_behind_a_segment_of_rle_is_left_out() -> None:
    data = dicom(DEEP, RLELossless, bits=12)
    at = data.rindex(b"\xfe\xff\x00\xe0", 0, data.index(struct.pack("<2I", 2, 64)))
    (length,) = struct.unpack_from("<I", data, at + 4)
    padded = data[: at + 4] + struct.pack("<I", length + 6) + data[at + 8 : at + 8 + length] + b"\0\0\0\0\0\0"
    assert np.array_equal(decode(padded + data[at + 8 + length :]).pixels, DEEP)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("said", [True, False])
def test_a_jpeg_2000_of_8_bits_in_a_file_that_says_12_is_shown_as_its_values_are(signed: bool, said: bool) -> None:
    """A mutated file that the million of `make fuzz` found: its positions did not fit into the codestream's bytes."""
    values = film(90, 100).astype(np.int16) - (128 if signed else 0)
    stream = imagecodecs.jpeg2k_encode(values.astype(np.int8 if signed else np.uint8), codecformat="j2k", level=0)
    data = within(stream, values.astype(np.int16 if said else np.uint16), JPEG2000, BitsStored=12, HighBit=11)
    pixels = decode(data).pixels.astype(int)
    if signed == said:
        assert np.array_equal(pixels - pixels.min(), values - values.min())
    else:  # the file's word counts for what the bits mean
        assert len(np.unique(pixels)) == len(np.unique(values))
