"""Stores DICOM headers: one row for a file's bytes, deleted with the last item that names it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Select, delete, exists, func, select
from sqlalchemy.orm import Session

from schemas.films import FilmHeader
from schemas.tables import StoredHeader, WorkItem
from wetread.store.core.upsert import insert_for

DELETED_AT_ONCE = 10_000
"""Ids in one statement, well within the parameters that a database takes."""


def store_headers(session: Session, headers: Mapping[str, FilmHeader]) -> dict[str, int]:
    """Store {sha256: header}, or replace what is there; return {sha256: id}, locked until the transaction ends.

    What is there came from the same bytes. A hash of the patient's id stays where this worker had no key to make one,
    and a note on the display where it did not decode the film.
    """
    if not headers:
        return {}
    rows = [_row(sha256, headers[sha256]) for sha256 in sorted(headers)]  # sorted: see settling's order of locks
    statement = insert_for(session)(StoredHeader)
    replaced = {name: statement.excluded[name] for name in rows[0] if name != "sha256"}
    for name in ("patient_hash", "display_note"):
        replaced[name] = func.coalesce(statement.excluded[name], getattr(StoredHeader, name))
    statement = statement.on_conflict_do_update(index_elements=[StoredHeader.sha256], set_=replaced)
    stored = session.execute(statement.returning(StoredHeader.sha256, StoredHeader.id), rows)
    return {row.sha256: row.id for row in stored}


def _row(sha256: str, header: FilmHeader) -> dict[str, object]:
    return {
        "sha256": sha256,
        "study_uid": header.study_uid,
        "series_uid": header.series_uid,
        "instance_uid": header.instance_uid,
        "view": header.view,
        "modality": header.modality,
        "acquired_on": header.acquired_on,
        "pixel_spacing": None if header.pixel_spacing is None else list(header.pixel_spacing),
        "patient_hash": header.patient_hash,
        "display_note": header.display_note,
    }


def lock_headers(session: Session, header_ids: Select[Any]) -> None:
    """Lock these headers, before the rows of runs, as every model's worker does that settles a copy of the film."""
    locked = select(StoredHeader.id).where(StoredHeader.id.in_(header_ids)).order_by(StoredHeader.sha256)
    session.execute(locked.with_for_update()).all()


def delete_unnamed_headers(session: Session, header_ids: Collection[int] | None = None) -> None:
    """Delete the headers, of all or of `header_ids`, that no item names any more.

    Locked first, and looked at again afterwards: another model's worker may be settling an image of the same bytes.
    """
    unnamed = ~exists().where(WorkItem.header_id == StoredHeader.id)
    query = select(StoredHeader.id).where(unnamed).order_by(StoredHeader.sha256).with_for_update()
    if header_ids is not None:
        query = query.where(StoredHeader.id.in_(header_ids))
    ids = session.scalars(query).all()
    for start in range(0, len(ids), DELETED_AT_ONCE):
        some = ids[start : start + DELETED_AT_ONCE]
        session.execute(delete(StoredHeader).where(StoredHeader.id.in_(some), unnamed))
