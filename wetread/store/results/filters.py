"""Filters of results, turned into SQL conditions with bound parameters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from operator import eq, ge, lt
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, literal_column, or_, select, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler

from schemas.reasons import DEATH_REASONS
from schemas.states import ItemState
from schemas.tables import IS_FAILED, Image, SamePicture, StoredHeader, StoredPrediction, WorkItem
from wetread.store.images.places import Place, places_beginning_with

KEY_BYTES = 255
"""Of a path, as many as PostgreSQL's index of paths holds."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What to look for; None means any.

    run: what that run settled; without it, the current reading of each image by each model.
    path: bytes that the absolute path begins with, or, when relative, the path under its root.
    study_uid, series_uid, patient_hash, view, modality: of DICOM films.
    acquired_since, acquired_until: the day of a DICOM film, since included and until not.
    since, until: of the settling, since included and until not.
    image_id: that image alone.
    """

    run: int | None = None
    model_digest: str | None = None
    label: str | None = None
    decision: str | None = None
    state: str | None = None
    reason: str | None = None
    min_probability: float | None = None
    max_probability: float | None = None
    since: datetime | None = None
    until: datetime | None = None
    path: bytes | None = None
    sha256: str | None = None
    study_uid: str | None = None
    series_uid: str | None = None
    patient_hash: str | None = None
    view: str | None = None
    modality: str | None = None
    acquired_since: date | None = None
    acquired_until: date | None = None
    image_id: int | None = None

    @property
    def failed_state(self) -> str | None:
        """Return rejected or dead where these filters let only that through: a reason belongs to one of them."""
        if self.state is None and self.reason is not None:
            return ItemState.DEAD if self.reason in DEATH_REASONS else ItemState.REJECTED
        return self.state if self.state in (ItemState.REJECTED, ItemState.DEAD) else None

    @property
    def asks_header(self) -> bool:
        """Return whether anything is asked of a DICOM file's header."""
        return bool(_asked_of_header(self))

    @property
    def asks_reading(self) -> bool:
        """Return whether anything is asked of the reading itself."""
        asked = (self.label, self.decision, self.min_probability, self.max_probability)
        return any(value is not None for value in asked)


def conditions(session: Session, filters: Filters, *, headers_joined: bool = False) -> list[ColumnElement[bool]]:
    """Return what all of `filters` ask of images, items and readings that are joined.

    headers_joined: headers are too, and each is looked at where it is met; otherwise those that fit are looked up.
    """
    found = [*scope(filters), *of_item(filters), *of_reading(filters)]
    if headers_joined:
        found += of_header(filters, looked_up=False)
    elif wanted := of_header(filters):
        found.append(WorkItem.header_id.in_(select(StoredHeader.id).where(*wanted)))
    if filters.sha256 is not None:
        found.append(holding(filters.sha256))
    if filters.path is not None:
        found.append(beginning_with(session, filters.path))
    return found


def scope(filters: Filters) -> list[ColumnElement[bool]]:
    """Return which items are asked at all: a run's settled ones, or the current ones."""
    if filters.run is None:
        return [WorkItem.current.expression]
    return [WorkItem.run_id == filters.run, WorkItem.state != ItemState.PENDING]


def of_item(filters: Filters) -> list[ColumnElement[bool]]:
    """Return what is asked of the item."""
    equal = {WorkItem.model_digest: filters.model_digest, WorkItem.reason: filters.reason}
    found = [equals(column, value) for column, value in equal.items() if value is not None]
    if filters.failed_state is not None:
        found.append(is_failed(filters.failed_state))
    elif filters.state is not None:
        found.append(equals(WorkItem.state, filters.state))
    if filters.since is not None:
        found.append(WorkItem.settled_at >= filters.since)
    if filters.until is not None:
        found.append(WorkItem.settled_at < filters.until)
    if filters.image_id is not None:
        found.append(WorkItem.image_id == filters.image_id)
    return found


def of_reading(filters: Filters) -> list[ColumnElement[bool]]:
    """Return what is asked of the reading."""
    equal = {StoredPrediction.label: filters.label, StoredPrediction.decision: filters.decision}
    found = [equals(column, value) for column, value in equal.items() if value is not None]
    if filters.min_probability is not None:
        found.append(StoredPrediction.probability >= filters.min_probability)
    if filters.max_probability is not None:
        found.append(StoredPrediction.probability <= filters.max_probability)
    return found


def of_header(filters: Filters, *, looked_up: bool = True) -> list[ColumnElement[bool]]:
    """Return what is asked of a DICOM file's header.

    looked_up: by the index of the column that lets through fewest, as a rule; the others are in words of no index,
    since SQLite, which keeps no statistics, would take that of the views, of which there are two.
    """
    asked = _asked_of_header(filters)
    found = []
    for column, compare, value in asked:
        by_index = looked_up and column is asked[0][0]
        told = column if by_index else func.coalesce(column, _never(compare))
        found.append(equals(told, value) if compare is eq else compare(told, value))
    return found


def _never(compare: Any) -> str | date:
    """Return what stands for a value that a header lacks, so that the comparison does not hold."""
    if compare is eq:
        return ""
    return date.min if compare is ge else date.max


def _asked_of_header(filters: Filters) -> list[tuple[Any, Any, Any]]:
    """Return (column, how it is compared, with what), the one that lets through fewest films first."""
    asked = [
        (StoredHeader.series_uid, eq, filters.series_uid), (StoredHeader.study_uid, eq, filters.study_uid),
        (StoredHeader.patient_hash, eq, filters.patient_hash), (StoredHeader.acquired_on, ge, filters.acquired_since),
        (StoredHeader.acquired_on, lt, filters.acquired_until), (StoredHeader.view, eq, filters.view),
        (StoredHeader.modality, eq, filters.modality),
    ]  # fmt: skip
    return [one for one in asked if one[2] is not None]


def is_failed(state: str | None = None) -> Any:
    """Return the condition that an item failed, or is in one of the failed states, in the words of their indexes.

    PostgreSQL would take two conditions on the state for independent ones, guess a handful of rows, and sort them all:
    one of them is hidden from its estimate where it adds nothing.
    """
    failed = text(IS_FAILED.replace("state", "work_items.state", 1))
    return failed if state is None else FailedAs(failed, literal_column(f"'{ItemState(state)}'"))


class FailedAs(ColumnElement[bool]):
    """An item's state is one failed state: SQLite is told the words of the index too, PostgreSQL sees that it fits."""

    inherit_cache = False

    def __init__(self, failed: Any, state: Any) -> None:
        self.failed, self.state = failed, state


@compiles(FailedAs)
def _failed_as(condition: FailedAs, compiler: SQLCompiler, **options: Any) -> str:
    said = f"work_items.state = {compiler.process(condition.state, **options)}"
    if compiler.dialect.name == "postgresql":
        return said
    return f"({said} AND {compiler.process(condition.failed, **options)})"


def holding(sha256: str) -> ColumnElement[bool]:
    """Return the condition that an item's file held these bytes when it was read."""
    read = WorkItem.prediction_id.in_(select(StoredPrediction.id).where(equals(StoredPrediction.sha256, sha256)))
    # A reading is of other bytes, too, that show the same; an index leads to it, and the item's own say whose it is.
    same = WorkItem.prediction_id.in_(select(SamePicture.prediction_id).where(equals(SamePicture.sha256, sha256)))
    return and_(or_(read, same, is_failed()), equals(WorkItem.sha256, sha256))


def equals(column: Any, wanted: str) -> ColumnElement[bool]:
    """Return the condition that `column` is `wanted`; what is not UTF-8, or holds a NUL, equals nothing stored."""
    can_be_stored = "\0" not in wanted and not any("\ud800" <= sign <= "\udfff" for sign in wanted)
    return column == wanted if can_be_stored else false()


def beginning_with(session: Session, prefix: bytes) -> ColumnElement[bool]:
    """Return the condition that an image's path begins with `prefix`."""
    return or_(false(), *path_ranges(session, prefix))


def path_ranges(session: Session, prefix: bytes) -> list[ColumnElement[bool]]:
    """Return the ranges of images whose path begins with `prefix`, none within another, by root and path."""
    return [listed_at(session, place) for place in places_beginning_with(session, prefix)]


def listed_at(session: Session, place: Place) -> ColumnElement[bool]:
    """Return the condition that an image is one of a place."""
    return and_(Image.root_id == place.home, *_begins(session, place.inside))


def path_key(session: Session) -> ColumnElement[bytes]:
    """Return what the database's index of paths holds of a path."""
    if session.get_bind().dialect.name == "postgresql":
        return literal_column(f"substring(images.path, 1, {KEY_BYTES})", Image.path.type)
    return Image.path.expression


def _begins(session: Session, prefix: bytes) -> list[ColumnElement[bool]]:
    if not prefix:
        return []
    ranges = _range(path_key(session), prefix[:KEY_BYTES])
    return ranges if len(prefix) <= KEY_BYTES else [*ranges, *_range(Image.path, prefix)]


def _range(column: Any, prefix: bytes) -> list[ColumnElement[bool]]:
    after = prefix.rstrip(b"\xff")
    return [column >= prefix, *([column < after[:-1] + bytes([after[-1] + 1])] if after else [])]
