"""The columns of a result: one table, from which the row, the block, JSON, csv and the Arrow schema come.

It loads no database: commands name the columns in their help before they ask anything.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple


class ColumnKind(StrEnum):
    """What a column's values are, in a row, in a block of text for an export, and in a file."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    PATH = "path"
    """Absolute, as bytes; the database has a root's number and a path below it."""
    MODEL = "model"
    """NAME@VERSION, of the digest."""
    MOMENT = "moment"
    """ISO 8601 in UTC as text."""
    DAY = "day"
    """YYYY-MM-DD as text."""
    NOTES = "notes"
    """Text, commas between; none is no value."""
    NUMBERS = "numbers"
    """A JSON array."""
    SHARES = "shares"
    """A JSON object {label: number}; the database has the numbers, in the order of the model's labels."""


class ResultColumn(NamedTuple):
    """A column. source: TABLE.COLUMN that it is read from. exported: False for what only this program asks for."""

    name: str
    source: str
    kind: ColumnKind = ColumnKind.TEXT
    exported: bool = True


RESULT_COLUMNS = (
    ResultColumn("path", "images.path", ColumnKind.PATH),
    ResultColumn("sha256", "work_items.sha256"),
    ResultColumn("state", "work_items.state"),
    ResultColumn("label", "predictions.label"),
    ResultColumn("probability", "predictions.probability", ColumnKind.NUMBER),
    ResultColumn("probabilities", "predictions.probabilities", ColumnKind.SHARES),
    ResultColumn("decision", "predictions.decision"),
    ResultColumn("reason", "work_items.reason"),
    ResultColumn("model", "work_items.model_digest", ColumnKind.MODEL),
    ResultColumn("model_digest", "work_items.model_digest"),
    ResultColumn("engine", "predictions.engine"),
    ResultColumn("run", "work_items.run_id", ColumnKind.INTEGER),
    ResultColumn("read_at", "predictions.read_at", ColumnKind.MOMENT),
    ResultColumn("study_uid", "film_headers.study_uid"),
    ResultColumn("series_uid", "film_headers.series_uid"),
    ResultColumn("instance_uid", "film_headers.instance_uid"),
    ResultColumn("view", "film_headers.view"),
    ResultColumn("modality", "film_headers.modality"),
    ResultColumn("acquired_on", "film_headers.acquired_on", ColumnKind.DAY),
    ResultColumn("pixel_spacing", "film_headers.pixel_spacing", ColumnKind.NUMBERS),
    ResultColumn("patient_hash", "film_headers.patient_hash"),
    ResultColumn("decision_digest", "predictions.decision_digest"),
    ResultColumn("gate_score", "predictions.gate_score", ColumnKind.NUMBER),
    ResultColumn("settled_at", "work_items.settled_at", ColumnKind.MOMENT),
    ResultColumn("display_note", "film_headers.display_note", ColumnKind.NOTES),
    ResultColumn("picture_digest", "predictions.shown"),
    ResultColumn("detail", "work_items.detail", exported=False),
    ResultColumn("attempts", "work_items.attempts", ColumnKind.INTEGER, exported=False),
    ResultColumn("worker", "work_items.worker", exported=False),
    ResultColumn("image_id", "work_items.image_id", ColumnKind.INTEGER, exported=False),
    ResultColumn("prediction_id", "predictions.id", ColumnKind.INTEGER, exported=False),
)
"""Exported in this order in every format; a later version adds behind the exported ones. docs/results.md says what each
is."""

EXPORTED = tuple(column for column in RESULT_COLUMNS if column.exported)
COLUMNS = tuple(column.name for column in EXPORTED)


class ResultRow(NamedTuple):
    """One image as one model read it, or why it did not: a value for each of RESULT_COLUMNS, in their order.

    `path` is absolute, as bytes. From study_uid to patient_hash, and display_note: what is kept of a DICOM file's
    header, as in `schemas.films.FilmHeader`.
    """

    path: bytes
    sha256: str | None
    state: str
    label: str | None
    probability: float | None
    probabilities: dict[str, float] | None
    decision: str | None
    reason: str | None
    model: str
    model_digest: str
    engine: str | None
    run: int
    read_at: datetime | None
    study_uid: str | None
    series_uid: str | None
    instance_uid: str | None
    view: str | None
    modality: str | None
    acquired_on: date | None
    pixel_spacing: list[float] | None
    patient_hash: str | None
    decision_digest: str | None
    gate_score: float | None
    settled_at: datetime | None
    display_note: str | None
    picture_digest: str | None
    detail: str | None
    attempts: int
    worker: str | None
    image_id: int
    prediction_id: int | None
