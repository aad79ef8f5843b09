"""What is kept of a DICOM header: a few tags, each only where it is well formed."""

from __future__ import annotations

import hashlib
import hmac
import struct
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.datadict import dictionary_VR, tag_for_keyword

from schemas.films import FilmHeader
from tests.unit.imaging.dicoms import LOSSLESS, PLAIN, dicom
from tests.unit.imaging.pictures import film
from wetread.imaging.dicom.file import is_dicom
from wetread.imaging.dicom.kept_header import film_header

FILM = film()
KEY = b"k" * 32
SAID: dict[str, Any] = {
    "StudyInstanceUID": "1.2.840.1.7", "SeriesInstanceUID": "1.2.840.1.7.2", "SOPInstanceUID": "1.2.840.1.7.2.3",
    "AcquisitionDate": "20240229", "PixelSpacing": ["0.143", "0.15"], "PatientID": "4711", "PatientName": "Doe^Jane",
}  # fmt: skip
KEPT = FilmHeader(
    "1.2.840.1.7", "1.2.840.1.7.2", "1.2.840.1.7.2.3", "PA", "DX", date(2024, 2, 29), (0.143, 0.15),
    hmac.new(KEY, b"4711", hashlib.sha256).hexdigest(),
)  # fmt: skip


def kept(key: bytes | None = KEY, **elements: Any) -> FilmHeader:
    header = film_header(dicom(FILM, **(SAID | elements)), key)
    assert header is not None
    return header


def with_text(keyword: str, text: str) -> bytes:
    """The film with `text` as that element's value, which pydicom would not write."""
    data, value = dicom(FILM, **SAID), text.encode("latin-1") + b" " * (len(text) % 2)
    tag, representation = tag_for_keyword(keyword), dictionary_VR(keyword)
    assert tag is not None
    start = data.index(struct.pack("<HH", tag >> 16, tag & 0xFFFF) + representation.encode())
    (length,) = struct.unpack_from("<H", data, start + 6)
    return data[: start + 6] + struct.pack("<H", len(value)) + value + data[start + 8 + length :]


@pytest.mark.parametrize("syntax", [*PLAIN, *LOSSLESS], ids=lambda syntax: syntax.name)
def test_the_header_is_kept_in_every_transfer_syntax(syntax: str) -> None:
    assert film_header(dicom(FILM, syntax, **SAID), KEY) == KEPT


def test_a_film_that_is_refused_has_a_header_too() -> None:
    for change in ({"Modality": "CT"}, {"ViewPosition": "LL"}, {"PixelData": None}, {"Rows": 65535}):
        assert kept(**change).study_uid == KEPT.study_uid
    assert film_header(dicom(FILM, **SAID)[:-1000], KEY) == KEPT
    assert film_header(dicom(FILM, **SAID)[132:], KEY) == KEPT


def test_without_a_key_or_an_id_there_is_no_hash() -> None:
    assert kept(None).patient_hash is None
    assert kept(None).study_uid == KEPT.study_uid
    assert kept(PatientID="").patient_hash is None
    assert kept(PatientID="4711 ").patient_hash == KEPT.patient_hash
    assert kept(PatientID="4712").patient_hash != KEPT.patient_hash
    assert kept(b"q" * 32).patient_hash != KEPT.patient_hash


def test_other_forms_and_what_is_not_stated() -> None:
    assert film_header(with_text("AcquisitionDate", "2024.02.29"), KEY) == KEPT
    lateral = film_header(with_text("ViewPosition", "ll"), KEY)
    assert lateral is not None and lateral.view == "LL"
    empty = kept(AcquisitionDate="", PixelSpacing="", ViewPosition="")
    assert (empty.acquired_on, empty.pixel_spacing, empty.view) == (None, None, None)


def test_the_date_with_a_time_and_the_detector_s_spacing_stand_in() -> None:
    header = kept(
        AcquisitionDate="", AcquisitionDateTime="20240301121212.5", PixelSpacing="", ImagerPixelSpacing=["0.2", "0.2"]
    )
    assert (header.acquired_on, header.pixel_spacing) == (date(2024, 3, 1), (0.2, 0.2))


MALFORMED = {
    "StudyInstanceUID": ["Doe^Jane", "1.2.Doe", "1..2", "4711", "9.1.2", "1." * 40 + "1", "1.2\\1.3", "1.2 3"],
    "AcquisitionDate": ["Doe^Jane", "20240230", "2024-02-29", "18000101", "202402", "2024.0229"],
    "PixelSpacing": ["Doe\\Jane", "0.1", "0.1\\-1", "nan\\nan", "0\\1", "1e99\\1", "0.1\\0.1\\0.1", "0.1\\1e3"],
    "ViewPosition": ["DOE_JANE", "PA\\LL"],
    "Modality": ["DOE_JANE", "D\xf6"],
}
FIELDS = dict(zip(MALFORMED, ("study_uid", "acquired_on", "pixel_spacing", "view", "modality"), strict=True))


@pytest.mark.parametrize(("keyword", "text"), [(name, text) for name, texts in MALFORMED.items() for text in texts])
def test_what_is_malformed_is_left_out(keyword: str, text: str) -> None:
    header = film_header(with_text(keyword, text), KEY)
    assert header is not None
    assert getattr(header, FIELDS[keyword]) is None
    assert header.instance_uid == KEPT.instance_uid


def test_a_header_of_nothing_is_none() -> None:
    nothing = dict.fromkeys(SAID) | {"Modality": None, "ViewPosition": None}
    empty = {name: value for name, value in nothing.items() if name in ("Modality", "ViewPosition", "SOPInstanceUID")}
    assert film_header(dicom(FILM, **empty), KEY) is None


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 3000), st.binary(min_size=1, max_size=8))
def test_no_damage_raises_or_gets_through_as_text(place: int, damage: bytes) -> None:
    data = dicom(FILM, **SAID)
    changed = data[:place] + damage + data[place + len(damage) :]
    header = film_header(changed, KEY) if is_dicom(changed) else None
    if header is not None:
        for uid in (header.study_uid, header.series_uid, header.instance_uid):
            assert uid is None or set(uid) <= set("0123456789.")
        assert header.patient_hash is None or len(header.patient_hash) == 64
