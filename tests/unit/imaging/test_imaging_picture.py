"""The digest of what a film shows: the same however its file is written, another for another pixel or display."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from tests.unit.imaging.dicoms import dicom
from tests.unit.imaging.displays import CURVE, lut_item
from tests.unit.imaging.pictures import encoded
from wetread.imaging.decode import decode
from wetread.imaging.picture import picture_digest
from wetread.imaging.preprocess import Preprocess

FILM = np.random.default_rng(1).integers(0, 4096, (512, 400)).astype(np.uint16)
SYNTAXES = (
    ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian, RLELossless, JPEGLosslessSV1,
    JPEGLSLossless,
)  # fmt: skip


def shown(data: bytes) -> str:
    preprocess = Preprocess()
    grey = decode(data, preprocess.enough)
    return picture_digest(grey.pixels, preprocess.original(grey.pixels), grey.display)


def film(syntax: str = ExplicitVRLittleEndian, pixels: np.ndarray = FILM, **elements: object) -> bytes:
    given = {"WindowCenter": "2048", "WindowWidth": "3000", "RescaleSlope": "1", "RescaleIntercept": "0"}
    said = {name: value for name, value in (given | elements).items() if value is not None}
    return dicom(pixels, syntax, bits=12, **said)


def table(first: int = 0) -> list[object]:
    return [lut_item(np.rint(CURVE * 65535).astype(np.uint16), bits=16, packed="OW", first=first)]


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_film_shows_the_same_however_it_is_written(syntax: str) -> None:
    assert shown(film(syntax)) == shown(film())
    if syntax in (ImplicitVRLittleEndian, RLELossless):  # a table's words are the writer's own in the others
        assert shown(film(syntax, VOILUTSequence=table())) == shown(film(VOILUTSequence=table()))


def test_what_is_no_picture_of_it_plays_no_part() -> None:
    others = {"PatientName": "Doe^Jane", "SOPInstanceUID": "1.2.3", "InstitutionName": "Ward", "WindowCenter": "2048.0"}
    assert shown(film(**others)) == shown(film())


@pytest.mark.parametrize(
    "elements",
    [
        {"WindowCenter": "1000"},
        {"WindowWidth": "9000"},  # beyond the film's values: what is left of it in 8 bits is the same
        {"WindowCenter": None, "WindowWidth": None},
        {"VOILUTFunction": "SIGMOID"},
        {"RescaleSlope": "2"},
        {"PhotometricInterpretation": "MONOCHROME1"},
        {"PresentationLUTShape": "INVERSE"},
        {"PixelPaddingValue": 0},
        {"VOILUTSequence": table()},
    ],
    ids=lambda elements: "+".join(f"{name}={value}"[:40] for name, value in elements.items()),
)
def test_another_display_is_another_picture(elements: dict[str, object]) -> None:
    assert shown(film(**elements)) != shown(film())


def test_another_table_is_another_picture() -> None:
    assert shown(film(VOILUTSequence=table(1))) != shown(film(VOILUTSequence=table()))


@pytest.mark.parametrize("place", [(0, 0), (255, 131), (511, 399)])
def test_one_grey_level_of_one_pixel_is_another_picture(place: tuple[int, int]) -> None:
    changed = FILM.copy()
    changed[place] ^= 1
    assert shown(film(pixels=changed)) != shown(film())


def test_pixels_in_other_places_are_another_picture() -> None:
    assert shown(film(pixels=np.ascontiguousarray(FILM[::-1]))) != shown(film())
    assert shown(film(pixels=np.ascontiguousarray(FILM.reshape(400, 512)))) != shown(film())


def test_a_file_that_is_no_dicom_says_nothing_of_its_display() -> None:
    assert decode(encoded(".png", FILM)).display == b""
    assert decode(film()).display
