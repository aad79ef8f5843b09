"""The part of a DICOM header that is kept beside a reading: tags on an allow-list, each value checked.

What is malformed is left out: a tag for a code, a date or an identifier can hold a name.

Source of the forms: DICOM PS3.5, table 6.2-1 and chapter 9 (unique identifiers).
"""

from __future__ import annotations

import hmac
import math
import re
from datetime import date

from schemas.errors import Rejected
from schemas.films import FilmHeader
from wetread.imaging.dicom.codes import MODALITIES, VIEWS
from wetread.imaging.dicom.file import read_data_set

_INSTANCE, _STUDY, _SERIES = 0x00080018, 0x0020000D, 0x0020000E
_DATE, _DATE_AND_TIME = 0x00080022, 0x0008002A
_MODALITY, _VIEW, _PATIENT = 0x00080060, 0x00185101, 0x00100020
_SPACING, _DETECTOR_SPACING = 0x00280030, 0x00181164
KEPT = frozenset(
    {_INSTANCE, _STUDY, _SERIES, _DATE, _DATE_AND_TIME, _MODALITY, _VIEW, _PATIENT, _SPACING, _DETECTOR_SPACING}
)
_UID = re.compile(r"[012](\.[0-9]+)+")
_DAY = re.compile(r"([0-9]{4})(\.?)([0-9]{2})\2([0-9]{2})")
_NUMBER = re.compile(r"[0-9]*\.?[0-9]+([eE][-+]?[0-9]{1,2})?")
_FIRST_YEAR = 1895
"""Of X-rays: an earlier date is wrong."""
_FARTHEST = 100.0
"""Millimetres between two pixels at most."""


def film_header(data: bytes, patient_key: bytes | None) -> FilmHeader | None:
    """Return what is kept of the header of a file that `is_dicom`; None where nothing well formed is in it.

    The header is read up to its last tag of interest, so a file whose pixels are broken off has one too. Without
    `patient_key` there is no hash of the patient's id. Raises nothing.
    """
    try:
        data_set = read_data_set(data, KEPT, to_last=True)
    except Rejected:
        return None
    raw = {tag: data_set.data[found.value : found.end].strip(b"\0 ") for tag, found in data_set.elements.items()}
    # What is not ASCII stays so, and fits none of the forms below.
    said = {tag: value.decode("ascii", "replace") for tag, value in raw.items() if tag != _PATIENT}
    patient = raw.get(_PATIENT)
    header = FilmHeader(
        study_uid=_uid(said.get(_STUDY)),
        series_uid=_uid(said.get(_SERIES)),
        instance_uid=_uid(said.get(_INSTANCE)),
        view=_code(said.get(_VIEW), VIEWS),
        modality=_code(said.get(_MODALITY), MODALITIES),
        acquired_on=_day(said.get(_DATE)) or _day((said.get(_DATE_AND_TIME) or "")[:8]),
        pixel_spacing=_spacing(said.get(_SPACING)) or _spacing(said.get(_DETECTOR_SPACING)),
        patient_hash=hmac.digest(patient_key, patient, "sha256").hex() if patient_key and patient else None,
    )
    return None if header == FilmHeader() else header


def _uid(text: str | None) -> str | None:
    return text if text and len(text) <= 64 and _UID.fullmatch(text) else None


def _code(text: str | None, known: frozenset[str]) -> str | None:
    return text.upper() if text and text.upper() in known else None


def _day(text: str | None) -> date | None:
    found = _DAY.fullmatch(text or "")
    if found is None:
        return None
    try:
        day = date(int(found[1]), int(found[3]), int(found[4]))
    except ValueError:
        return None
    return day if day.year >= _FIRST_YEAR else None


def _spacing(text: str | None) -> tuple[float, float] | None:
    parts = [part.strip() for part in (text or "").split("\\")]
    if len(parts) != 2 or not all(_NUMBER.fullmatch(part) and len(part) <= 16 for part in parts):
        return None
    rows, columns = (float(part) for part in parts)
    return (rows, columns) if all(math.isfinite(side) and 0 < side <= _FARTHEST for side in (rows, columns)) else None
