"""What is kept of a film's file beside its reading: fields of the DICOM header, by an allow-list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from hashlib import sha256

from schemas.reasons import RULES, Reason


class DisplayNote(StrEnum):
    """What of a DICOM film's display was not as the standard has it, and was left out or set right.

    RESCALE_IGNORED: slope or intercept is empty, unreadable or without the other, or the slope is 0.
    MODALITY_LUT_IGNORED, VOI_LUT_IGNORED: empty or unreadable, or one value is left. LUT_LENGTH: more or fewer entries
    than declared. VOI_FUNCTION_UNKNOWN: empty too; LINEAR is taken. DECIMAL_COMMA: read as a point. WINDOW_IGNORED:
    without a usable centre and width. WINDOW_OF_ONE_VALUE: it leaves one value of this film, and is left out.
    PIXEL_REPRESENTATION_MISSING: read as unsigned. PADDING_IGNORED: it would leave one value or none.
    """

    RESCALE_IGNORED = "rescale_ignored"
    MODALITY_LUT_IGNORED = "modality_lut_ignored"
    VOI_LUT_IGNORED = "voi_lut_ignored"
    LUT_LENGTH = "lut_length"
    VOI_FUNCTION_UNKNOWN = "voi_function_unknown"
    DECIMAL_COMMA = "decimal_comma"
    WINDOW_IGNORED = "window_ignored"
    WINDOW_OF_ONE_VALUE = "window_of_one_value"
    PIXEL_REPRESENTATION_MISSING = "pixel_representation_missing"
    PADDING_IGNORED = "padding_ignored"


@dataclass(frozen=True, slots=True)
class Accepted:
    """Words of a DICOM's header that a site wants read although they name something else; a run is bound to its own."""

    modalities: tuple[str, ...] = ()
    body_parts: tuple[str, ...] = ()
    views: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.modalities or self.body_parts or self.views)

    def __or__(self, other: Accepted) -> Accepted:
        """Return the words of both, each once."""
        return Accepted(
            *(tuple(sorted({*mine, *theirs})) for mine, theirs in zip(self.lists, other.lists, strict=True))
        )

    @property
    def lists(self) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """The three lists, as the fields are ordered."""
        return self.modalities, self.body_parts, self.views

    def to_json(self) -> dict[str, list[str]] | None:
        """Return what JSON holds of it; None where no word is accepted."""
        return {name: list(getattr(self, name)) for name in _ACCEPTED_FIELDS} if self else None

    @classmethod
    def from_json(cls, body: Mapping[str, Sequence[str]] | None) -> Accepted:
        """Return the words in `body`."""
        return cls(*(tuple(body.get(name, ())) for name in _ACCEPTED_FIELDS)) if body else cls()

    def rules(self, reason: Reason | None) -> str:
        """Return under which rules a rejection for `reason` stands: this version's, and these words' if they count."""
        lists = dict(zip((Reason.OTHER_MODALITY, Reason.OTHER_BODY_PART, Reason.OTHER_VIEW), self.lists, strict=True))
        words = lists.get(reason) if reason else None
        return f"{RULES}:{sha256(repr(sorted(words)).encode()).hexdigest()[:16]}" if words else str(RULES)


_ACCEPTED_FIELDS = ("modalities", "body_parts", "views")
ACCEPTED = Accepted()
"""No word."""

FILE_BYTES_LIMIT = 512 * 1024**2
"""Bytes of the largest file that is read, in training and in screening, where nothing else is set: above any film."""


@dataclass(frozen=True, slots=True)
class FilmHeader:
    """What a DICOM file says of its film, each value checked; None where it says nothing, or nothing well formed.

    study_uid, series_uid, instance_uid: DICOM's unique identifiers. view, modality: codes of the standard.
    pixel_spacing: millimetres between rows and between columns. patient_hash: HMAC-SHA256 of the patient's id, in
    hexadecimal. display_note: what of its display was left out or set right, as DisplayNote names it, in its order and
    joined by commas; "" where nothing was, None where the film was not decoded. Never a name, a date of birth or free
    text.
    """

    study_uid: str | None = None
    series_uid: str | None = None
    instance_uid: str | None = None
    view: str | None = None
    modality: str | None = None
    acquired_on: date | None = None
    pixel_spacing: tuple[float, float] | None = None
    patient_hash: str | None = None
    display_note: str | None = None
