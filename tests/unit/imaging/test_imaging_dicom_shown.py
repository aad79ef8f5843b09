"""A DICOM film is shown as PS3.3, C.11 has it: as dcmtk shows it, and as pydicom computes it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.uid import ExplicitVRBigEndian

from schemas.films import DisplayNote
from tests.unit.imaging.dcmtk import kept_values, needs_dcmtk, of_own_range, shown_by_dcmtk
from tests.unit.imaging.dicoms import dicom
from tests.unit.imaging.displays import CURVE, DISPLAYS, EVERY_VALUE, looked_at, lut_item
from tests.unit.imaging.pictures import film
from wetread.imaging.decode import decode

STEP = 1 / 65535


def test_films_are_shown_as_dcmtk_showed_them() -> None:
    kept = kept_values()
    assert sorted(kept) == sorted(DISPLAYS), "python -m tests.unit.imaging.dcmtk writes them anew"
    for name, (data, _) in DISPLAYS.items():
        assert looked_at(decode(data).pixels) == pytest.approx(kept[name], abs=4 * STEP), name


def test_what_was_kept_of_dcmtk_is_what_it_shows() -> None:
    needs_dcmtk()
    kept = kept_values()
    for name, (data, options) in list(DISPLAYS.items())[::3]:
        assert looked_at(shown_by_dcmtk(data, *options)) == pytest.approx(kept[name], abs=STEP), name


def by_pydicom(data: bytes) -> np.ndarray:
    record = dcmread(BytesIO(data))
    values = apply_voi_lut(apply_modality_lut(record.pixel_array.astype(np.int32), record), record)
    light = np.asarray(values, np.float64)
    return -light if record.PhotometricInterpretation == "MONOCHROME1" else light


@settings(deadline=None, max_examples=25)
@given(
    bits=st.integers(8, 16),
    signed=st.booleans(),
    seed=st.integers(0, 1000),
    place=st.floats(0.1, 0.9),
    width=st.floats(0.05, 2),
    function=st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]),
    slope=st.sampled_from(["1", "0.25", "3.7"]),  # of a falling one pydicom turns the window over; dcmtk does not
    photometric=st.sampled_from(["MONOCHROME1", "MONOCHROME2"]),
)
def test_a_window_is_pydicom_s(
    bits: int, signed: bool, seed: int, place: float, width: float, function: str, slope: str, photometric: str
) -> None:
    top, least = 2**bits - 1, -(2 ** (bits - 1)) if signed else 0
    stored = np.rint(film(70, 80, seed) / 255 * top) + least
    kind = {(False, True): np.int8, (False, False): np.uint8, (True, True): np.int16, (True, False): np.uint16}
    centre = float(slope) * (least + place * top) - 500
    data = dicom(
        stored.astype(kind[bits > 8, signed]), bits=bits, RescaleSlope=slope, RescaleIntercept="-500",
        WindowCenter=f"{centre:.8g}", WindowWidth=f"{max(1.5, abs(float(slope)) * width * top):.8g}",
        VOILUTFunction=function, PhotometricInterpretation=photometric,
    )  # fmt: skip
    expected = by_pydicom(data)
    assume(expected.min() < expected.max())
    assert np.abs(of_own_range(decode(data).pixels) - of_own_range(expected)).max() <= 2 * STEP


@settings(deadline=None, max_examples=25)
@given(
    bits=st.integers(10, 16),  # of 8 bits pydicom wraps the index into the table; 9 it does not take
    packed=st.sampled_from(["US", "OW"]),
    first=st.integers(-3000, 3000),
    count=st.integers(300, 4096),
    signed=st.booleans(),
    modality=st.booleans(),
)
def test_a_lut_is_pydicom_s(bits: int, packed: str, first: int, count: int, signed: bool, modality: bool) -> None:
    stored = (EVERY_VALUE.astype(int) - 2048).astype(np.int16) if signed else EVERY_VALUE
    assume(signed or first >= 0)
    bits = 16 if modality else bits  # in a modality LUT pydicom takes no other above 8
    entries = np.rint(CURVE[:count] * (2**bits - 1)).astype(np.uint16)
    item = lut_item(entries, bits=bits, packed="OW" if modality else packed, first=first)  # pydicom takes no other
    item["LUTDescriptor"].VR = "SS" if signed else "US"
    item["LUTDescriptor"].value = [count, first, bits]
    data = dicom(stored, bits=12, **{"ModalityLUTSequence" if modality else "VOILUTSequence": [item]})
    expected = by_pydicom(data)
    assume(expected.min() < expected.max())
    assert np.abs(of_own_range(decode(data).pixels) - of_own_range(expected)).max() <= 2 * STEP


@pytest.mark.parametrize("packed", ["OB", "OW two a word", "OW", "US"])
@pytest.mark.parametrize("stored_bits", [10, 12])
def test_entries_of_8_bits_show_nearly_what_their_copy_in_16_does(packed: str, stored_bits: int) -> None:
    pixels = np.rint(film() / 255.0 * (2**stored_bits - 1)).astype(np.uint16)
    curve = (np.arange(2**stored_bits) / (2**stored_bits - 1)) ** 0.5
    eight, sixteen = (
        lut_item(np.rint(curve * (2**bits - 1)), bits=bits, packed=form) for bits, form in ((8, packed), (16, "OW"))
    )
    found, wanted = (decode(dicom(pixels, bits=stored_bits, VOILUTSequence=[item])) for item in (eight, sixteen))
    assert np.abs(of_own_range(found.pixels) - of_own_range(wanted.pixels)).max() < 1 / 250
    assert found.notes == wanted.notes == ()


def test_entries_of_8_bits_two_a_word_are_in_the_order_of_the_file() -> None:
    """In words of the other order the lower byte, which holds the first entry, comes second."""
    entries = np.rint(CURVE * 255).astype(np.uint8)
    item = lut_item(entries, bits=8, packed="OW two a word")
    swapped = lut_item(entries.reshape(-1, 2)[:, ::-1].ravel(), bits=8, packed="OW two a word")
    little = decode(dicom(EVERY_VALUE, bits=12, VOILUTSequence=[item])).pixels
    big = decode(dicom(EVERY_VALUE, ExplicitVRBigEndian, bits=12, VOILUTSequence=[swapped])).pixels
    np.testing.assert_array_equal(little, big)


WINDOW = {"WindowCenter": "1700", "WindowWidth": "3000"}
EMPTY_LUT = lut_item(np.zeros(0), bits=16, packed="OW", count=4096)


@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # pydicom's, as it writes values that are against the rules
@pytest.mark.parametrize(
    ("elements", "like", "note"),
    [
        (WINDOW | {"VOILUTFunction": ""}, WINDOW, DisplayNote.VOI_FUNCTION_UNKNOWN),
        (WINDOW | {"VOILUTFunction": "CUBIC"}, WINDOW, DisplayNote.VOI_FUNCTION_UNKNOWN),
        (WINDOW | {"RescaleSlope": "", "RescaleIntercept": ""}, WINDOW, DisplayNote.RESCALE_IGNORED),
        (WINDOW | {"RescaleSlope": "2", "RescaleIntercept": ""}, WINDOW, DisplayNote.RESCALE_IGNORED),
        (WINDOW | {"RescaleSlope": "0", "RescaleIntercept": "9"}, WINDOW, DisplayNote.RESCALE_IGNORED),
        (WINDOW | {"RescaleSlope": "-1"}, WINDOW, DisplayNote.RESCALE_IGNORED),
        ({"RescaleSlope": "-1"}, {}, DisplayNote.RESCALE_IGNORED),
        (WINDOW | {"PixelRepresentation": None}, WINDOW, DisplayNote.PIXEL_REPRESENTATION_MISSING),
        (WINDOW | {"ModalityLUTSequence": []}, WINDOW, DisplayNote.MODALITY_LUT_IGNORED),
        (WINDOW | {"ModalityLUTSequence": [EMPTY_LUT]}, WINDOW, DisplayNote.MODALITY_LUT_IGNORED),
        (WINDOW | {"VOILUTSequence": [EMPTY_LUT]}, WINDOW, DisplayNote.VOI_LUT_IGNORED),
        ({"WindowCenter": "128", "WindowWidth": "8", "PixelPaddingValue": 9}, {}, DisplayNote.WINDOW_OF_ONE_VALUE),
        ({"WindowCenter": "128", "WindowWidth": "0"}, {}, DisplayNote.WINDOW_IGNORED),
        ({"WindowCenter": "128"}, {}, DisplayNote.WINDOW_IGNORED),
        ({"WindowCenter": "", "WindowWidth": ""}, {}, None),
        ({"NumberOfFrames": "", "BitsStored": 12}, {}, None),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_left_out_and_noted(
    elements: dict[str, Any], like: dict[str, Any], note: DisplayNote | None
) -> None:
    pixels = film().astype(np.uint16) * 12 + 300
    found, wanted = decode(dicom(pixels, bits=12, **elements)), decode(dicom(pixels, bits=12, **like))
    np.testing.assert_array_equal(found.pixels, wanted.pixels)
    assert found.notes == (() if note is None else (note,))
    assert wanted.notes == ()


def test_a_pixel_representation_that_stands_empty_is_unsigned() -> None:
    data = dicom(EVERY_VALUE, bits=12, PixelRepresentation=0)
    head = data.index(b"\x28\0\x03\x01US")
    found = decode(data[:head] + b"\x28\0\x03\x01US\0\0" + data[head + 10 :])
    np.testing.assert_array_equal(found.pixels, EVERY_VALUE)
    assert found.notes == (DisplayNote.PIXEL_REPRESENTATION_MISSING,)


def test_a_decimal_comma_is_a_point() -> None:
    plain = dicom(EVERY_VALUE, bits=12, WindowCenter="1700.5", WindowWidth="1000.5")
    comma = plain.replace(b"1700.5", b"1700,5").replace(b"1000.5", b"1000,5")
    np.testing.assert_array_equal(decode(comma).pixels, decode(plain).pixels)
    assert decode(comma).notes == (DisplayNote.DECIMAL_COMMA,)


@settings(deadline=None, max_examples=25)
@given(
    padded=st.integers(0, 4095),
    limit=st.integers(-200, 200),
    signed=st.booleans(),
    photometric=st.sampled_from(["MONOCHROME1", "MONOCHROME2"]),
    windowed=st.booleans(),
)
def test_padding_is_black_and_no_part_of_the_range(
    padded: int, limit: int, signed: bool, photometric: str, windowed: bool
) -> None:
    """As the film with a black border has it, whatever the value of the padding and how far its range goes."""
    last = min(4095, max(0, padded + limit))
    low, high = sorted((padded, last))
    free = [span for span in ((100, low - 1), (high + 1, 4000)) if span[1] - span[0] >= 1600]
    assume(free)
    inside = free[0][0] + np.rint(film() * (1600 / 255)).astype(int)
    inverted, shift = photometric == "MONOCHROME1", 2048 if signed else 0
    border = np.full((24, inside.shape[1]), padded)
    border[1::2] = last
    black = np.full_like(border, 4095 if inverted else 0)
    kind = np.int16 if signed else np.uint16
    elements = {"PhotometricInterpretation": photometric}
    if windowed:
        elements |= {"WindowCenter": f"{free[0][0] + 800 - shift}", "WindowWidth": "1200"}
    found = decode(
        dicom((np.vstack([border, inside]) - shift).astype(kind), bits=12, PixelPaddingValue=padded - shift,
              PixelPaddingRangeLimit=last - shift, **elements)
    )  # fmt: skip
    wanted = decode(dicom((np.vstack([black, inside]) - shift).astype(kind), bits=12, **elements))
    assert np.abs(of_own_range(found.pixels) - of_own_range(wanted.pixels)).max() <= 2 * STEP
    assert found.notes == ()


def test_padding_that_would_leave_nothing_is_none() -> None:
    data = dicom(EVERY_VALUE, bits=12, PixelPaddingValue=0, PixelPaddingRangeLimit=4095)
    np.testing.assert_array_equal(decode(data).pixels, EVERY_VALUE)
    assert decode(data).notes == (DisplayNote.PADDING_IGNORED,)


@pytest.mark.parametrize("keyword", [b"\x28\0\x10\x30SQ", b"\x28\0\0\x30SQ"], ids=["VOI", "modality"])
def test_a_sequence_that_is_none_is_left_out(keyword: bytes) -> None:
    """Of another value representation its items are numbers, or a text."""
    item = lut_item(np.rint(CURVE * 65535), bits=16, packed="OW")
    data = dicom(EVERY_VALUE, bits=12, VOILUTSequence=[item], ModalityLUTSequence=[item])
    for kind in (b"OB", b"UN", b"UT"):
        found = decode(data.replace(keyword, keyword[:4] + kind))
        assert found.pixels.shape == EVERY_VALUE.shape
