"""What is kept of a film's file beside its reading: from a DICOM header, by an allow-list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

FILE_BYTES_LIMIT = 512 * 1024**2
"""Bytes of the largest file that is read, in training and in screening, where nothing else is set: above any film."""


@dataclass(frozen=True, slots=True)
class FilmHeader:
    """What a DICOM file says of its film, each value checked; None where it says nothing, or nothing well formed.

    study_uid, series_uid, instance_uid: DICOM's unique identifiers. view, modality: codes of the standard.
    pixel_spacing: millimetres between rows and between columns. patient_hash: HMAC-SHA256 of the patient's id, in
    hexadecimal. Never a name, a date of birth or free text.
    """

    study_uid: str | None = None
    series_uid: str | None = None
    instance_uid: str | None = None
    view: str | None = None
    modality: str | None = None
    acquired_on: date | None = None
    pixel_spacing: tuple[float, float] | None = None
    patient_hash: str | None = None
