"""DICOM films are read as a viewer shows them, whatever their transfer syntax and depth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HTJ2K,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from tests.unit.imaging.dcmtk import of_own_range
from tests.unit.imaging.dicoms import LOSSLESS, PLAIN, dicom
from tests.unit.imaging.pictures import encoded, film, ramp
from wetread.imaging.decode import decode
from wetread.imaging.preprocess import Preprocess
from wetread.imaging.range import normalise

FILM = film()
DEEP = FILM.astype(np.uint16) * 16 + 7
"""12 bits, in 16."""


@pytest.mark.parametrize("syntax", [*PLAIN, *LOSSLESS], ids=lambda syntax: syntax.name)
@pytest.mark.parametrize(("pixels", "bits"), [(FILM, 8), (DEEP, 12), (DEEP * 16, 16)], ids=["8", "12", "16"])
def test_every_transfer_syntax_gives_the_stored_pixels(syntax: str, pixels: np.ndarray, bits: int) -> None:
    grey = decode(dicom(pixels, syntax, bits=bits))
    assert np.array_equal(grey.pixels, pixels)
    assert grey.pixels.dtype == pixels.dtype
    assert (grey.format, grey.bits, grey.channels, grey.orientation) == ("dicom", 8 * pixels.itemsize, 1, 1)


@pytest.mark.parametrize("pixels", [FILM, np.stack([FILM, FILM // 2, 255 - FILM], axis=-1)], ids=["grey", "colour"])
def test_a_jpeg_within_reads_as_the_jpeg_alone(pixels: np.ndarray) -> None:
    photometric = "MONOCHROME2" if pixels.ndim == 2 else "YBR_FULL_422"
    within = decode(dicom(pixels, JPEGBaseline8Bit, PhotometricInterpretation=photometric)).pixels
    alone = decode(encoded(".jpg", pixels)).pixels
    assert np.abs(within.astype(int) - alone).max() <= 2


def within(name: str, pixels: np.ndarray, syntax: str, **elements: Any) -> bytes:
    """A DICOM of a codestream that other encoders wrote; `pixels` give its size and type."""
    codestream = (Path(__file__).parent / "codestreams" / name).read_bytes()
    return dicom(pixels, syntax, PixelData=encapsulate([codestream]), **elements)


@pytest.mark.parametrize("syntax", [HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K], ids=lambda syntax: syntax.name)
def test_htj2k_gives_the_stored_pixels(syntax: str) -> None:
    small = film(72, 80)
    deep = small.astype(np.uint16) * 16 + 7
    assert np.array_equal(decode(within("eight_bits.j2c", small, syntax)).pixels, small)
    assert np.array_equal(decode(within("sixteen_bits.j2c", deep, syntax)).pixels, deep)


@pytest.mark.parametrize("signed", [0, 1])
def test_an_extended_jpeg_of_twelve_bits_gives_the_stored_pixels(signed: int) -> None:
    small = film(72, 80).astype(np.uint16) * 16 + 7
    data = within("twelve_bits.jpg", small, JPEGExtended12Bit, bits=12, PixelRepresentation=signed)
    stored = small ^ 2048 if signed else small  # what were its upper values are negative, and come first
    assert np.abs(decode(data).pixels.astype(int) - stored)[np.abs(small.astype(int) - 2048) > 3].max() <= 3
    assert decode(data).pixels.dtype == np.uint16


def test_a_jpeg_that_names_an_unknown_version_of_jfif_is_read() -> None:
    codestream = bytearray((Path(__file__).parent / "codestreams" / "twelve_bits.jpg").read_bytes())
    assert codestream[6:11] == b"JFIF\0"
    small = film(72, 80).astype(np.uint16)
    read = decode(dicom(small, JPEGExtended12Bit, bits=12, PixelData=encapsulate([bytes(codestream)]))).pixels
    codestream[11] = 244
    other = decode(dicom(small, JPEGExtended12Bit, bits=12, PixelData=encapsulate([bytes(codestream)]))).pixels
    assert np.array_equal(read, other)


def test_an_extended_jpeg_reads_as_pydicom_s_own_tests_know_it() -> None:
    """Source of the values: pydicom 3.0.2, tests/pixels/pixels_reference.py."""
    data_set = dcmread(Path(str(get_testdata_file("JPGExtended.dcm", download=False))))
    pixels = decode(dicom(np.zeros((1024, 256), np.uint16), JPEGExtended12Bit, bits=12, PixelData=data_set.PixelData))
    assert (pixels.pixels[420, 140], pixels.pixels[230, 120]) == (244, 95)


@pytest.mark.parametrize("cut", [slice(128, None), slice(132, None)], ids=["prefix first", "elements first"])
def test_a_file_without_its_preamble_is_read(cut: slice) -> None:
    data = dicom(FILM)[cut]
    assert np.array_equal(decode(data if cut.start == 132 else bytes(128) + data).pixels, FILM)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_a_data_set_alone_is_read(syntax: str) -> None:
    data = dicom(DEEP, syntax, bits=12)
    first = b"\0\x08\0\x16" if syntax == ExplicitVRBigEndian else b"\x08\0\x16\0"
    assert np.array_equal(decode(data[data.index(first, 132) :]).pixels, DEEP)


def test_a_preamble_that_looks_like_a_tiff_changes_nothing() -> None:
    assert np.array_equal(decode(b"II*\0" + dicom(FILM)[4:]).pixels, FILM)


def test_bytes_after_the_pixels_are_of_no_account() -> None:
    assert np.array_equal(decode(dicom(FILM) + bytes(1000)).pixels, FILM)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
def test_overlays_in_unused_bits_are_left_out(syntax: str) -> None:
    overlaid = DEEP | np.where(FILM > 99, 0xF000, 0).astype(np.uint16)
    assert np.array_equal(decode(dicom(overlaid, syntax, bits=12)).pixels, DEEP)
    high = dicom((DEEP << 4).astype(np.uint16) | 5, syntax, bits=12, HighBit=15)
    assert np.array_equal(decode(high).pixels, DEEP)


@pytest.mark.parametrize("syntax", PLAIN, ids=lambda syntax: syntax.name)
def test_signed_values_keep_their_order(syntax: str) -> None:
    assert np.array_equal(decode(dicom((DEEP.astype(int) - 2048).astype(np.int16), syntax, bits=12)).pixels, DEEP)
    assert np.array_equal(decode(dicom((FILM.astype(int) - 128).astype(np.int8), syntax)).pixels, FILM)


@pytest.mark.parametrize("planar", [0, 1])
def test_colours_become_luminance(planar: int) -> None:
    colour = np.stack([film(seed=seed) for seed in range(3)], axis=-1)
    stored = colour if planar == 0 else np.ascontiguousarray(np.moveaxis(colour, -1, 0))
    data = dicom(colour, PixelData=stored.tobytes(), PlanarConfiguration=planar)
    assert np.abs(decode(data).pixels - colour @ (0.299, 0.587, 0.114)).max() <= 1


def test_a_secondary_capture_without_modality_is_read() -> None:
    data = dicom(FILM, Modality=None, SOPClassUID=SecondaryCaptureImageStorage, BodyPartExamined=None, ViewPosition="")
    assert np.array_equal(decode(data).pixels, FILM)


@pytest.mark.parametrize(("bits", "shift"), [(8, 0), (10, 2), (12, 4), (16, 8)])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, *LOSSLESS], ids=lambda syntax: syntax.name)
def test_copies_of_every_depth_look_the_same(bits: int, shift: int, syntax: str) -> None:
    deep = (FILM.astype(np.uint16) << shift).astype(np.uint8 if bits == 8 else np.uint16)
    assert np.array_equal(normalise(decode(dicom(deep, syntax, bits=bits)).pixels), normalise(FILM))


def test_a_slope_changes_nothing_and_a_falling_one_inverts() -> None:
    rising = dicom(DEEP, bits=12, RescaleSlope="0.25", RescaleIntercept="-1000")
    falling = dicom(DEEP, bits=12, RescaleSlope="-0.25", RescaleIntercept="1000")
    assert np.array_equal(decode(rising).pixels, DEEP)
    assert np.array_equal(decode(falling).pixels, 4095 - DEEP)


@pytest.mark.parametrize("function", [None, "LINEAR", "LINEAR_EXACT"])
def test_a_window_cuts_off_what_lies_outside(function: str | None) -> None:
    """Source of the expected values: DICOM PS3.3, C.11.2.1.2."""
    more = {} if function is None else {"VOILUTFunction": function}
    data = dicom(DEEP, bits=12, WindowCenter=["2000", "7"], WindowWidth=["1000", "3"], RescaleSlope="2",
                 RescaleIntercept="-500", **more)  # fmt: skip
    width = 1000 if function == "LINEAR_EXACT" else 999
    centre = 2000 if function == "LINEAR_EXACT" else 1999.5
    expected = np.clip((2.0 * DEEP - 500 - centre) / width + 0.5, 0, 1)
    assert np.abs(of_own_range(decode(data).pixels) - of_own_range(expected)).max() < 1e-3


@pytest.mark.parametrize("width", ["0", "-5", "0.5"])
def test_a_window_without_width_is_none(width: str) -> None:
    assert np.array_equal(decode(dicom(DEEP, bits=12, WindowCenter="9", WindowWidth=width)).pixels, DEEP)


def lut(values: np.ndarray, first: int = 0, **more: object) -> Dataset:
    table = Dataset()
    table.LUTDescriptor = [len(values), first, 16]
    table.add_new("LUTData", "OW", values.astype("<u2").tobytes())
    for name, value in more.items():
        setattr(table, name, value)
    return table


def test_the_modality_lut_comes_before_the_voi_lut_and_the_voi_lut_before_a_window() -> None:
    squares, halves = np.arange(4096) ** 2 // 4096, np.arange(4096) // 2 + 5
    data = dicom(
        DEEP, bits=12, ModalityLUTSequence=[lut(squares, ModalityLUTType="US")], VOILUTSequence=[lut(halves)],
        WindowCenter="1", WindowWidth="2",
    )  # fmt: skip
    assert np.abs(of_own_range(decode(data).pixels) - of_own_range(halves[squares[DEEP]])).max() < 1e-4


@settings(deadline=None, max_examples=60)
@given(
    bits=st.integers(8, 16),
    seed=st.integers(0, 1000),
    windowed=st.booleans(),
    place=st.floats(0.2, 0.8),
    width=st.floats(0.05, 2),
    function=st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]),
    slope=st.sampled_from(["1", "0.1", "3.7"]),
)
def test_a_monochrome1_film_is_its_monochrome2_twin(
    bits: int, seed: int, windowed: bool, place: float, width: float, function: str, slope: str
) -> None:
    """The twin's stored values, and so its window, are mirrored: what is shown is the same."""
    top = 2**bits - 1
    values = (film(80, 90, seed).astype(float) / 255 * top).astype(np.uint8 if bits == 8 else np.uint16)
    first, second = {}, {}
    if windowed:
        centre = round(place * top)
        turn = 1 if function == "LINEAR" else 0  # its middle is half a value below its centre
        scale = float(slope)
        first = {"WindowCenter": f"{scale * centre:.10g}", "WindowWidth": f"{max(2, scale * width * top):.10g}"}
        second = first | {"WindowCenter": f"{scale * (top - centre) + turn:.10g}"}
        both = {"VOILUTFunction": function, "RescaleSlope": slope, "RescaleIntercept": "0"}
        first, second = first | both, second | both
    light = decode(dicom(values, bits=bits, **first)).pixels
    dark = decode(
        dicom((top - values).astype(values.dtype), bits=bits, PhotometricInterpretation="MONOCHROME1", **second)
    )
    if windowed:  # levels of 16 bits: the decimals of a header may move one of them by one
        assert np.abs(light.astype(int) - dark.pixels).max() <= 1
    else:
        assert np.array_equal(light, dark.pixels)
    preprocess = Preprocess(height=32, width=32, working_size=None)
    assert np.abs(preprocess.apply(light) - preprocess.apply(dark.pixels)).max() <= 1 / 255


def test_a_monochrome1_jpeg_is_inverted_too() -> None:
    twin = decode(dicom(255 - ramp(), JPEGBaseline8Bit, PhotometricInterpretation="MONOCHROME1")).pixels
    assert np.abs(twin.astype(int) - ramp()).max() <= 4


def test_the_png_of_the_same_pixels_looks_the_same() -> None:
    for pixels, bits in ((FILM, 8), (DEEP, 12)):
        png = decode(encoded(".png", pixels)).pixels
        assert np.array_equal(decode(dicom(pixels, DeflatedExplicitVRLittleEndian, bits=bits)).pixels, png)
