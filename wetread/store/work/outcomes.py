"""The outcome of an image, as a worker hands it to settling."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.films import FilmHeader
from schemas.predictions import Prediction
from schemas.reasons import Reason
from schemas.states import ItemState


@dataclass(frozen=True, slots=True)
class LinkedReading:
    """A reading that is in the database already."""

    prediction_id: int
    label: str
    decision: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one image.

    prediction: a new reading; None for a link, a rejection, a death.
    linked: the id and label of a reading that these bytes have already, or other bytes that show the same.
    shown: the digest of what the image shows, where the link is by it and not by the bytes.
    header: what is kept of a DICOM file's header, whatever became of the image.
    word: of our own lists, by which a DICOM film was set aside.
    """

    image_id: int
    state: ItemState
    reason: Reason | None = None
    detail: str | None = None
    sha256: str | None = None
    size: int | None = None
    mtime_ns: int | None = None
    prediction: Prediction | None = None
    linked: LinkedReading | None = None
    shown: str | None = None
    header: FilmHeader | None = None
    word: str | None = None
