"""Lists of films to go through: filters and an order, kept under a number.

An address holds the number and never what was asked for: paths and studies can name a patient.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from schemas.errors import UsageError
from schemas.reader_tables import ORDERS, TRIAGE
from schemas.tables import ReadingList
from wetread.store.results.filters import Filters

_DAYS = ("acquired_since", "acquired_until")
_MOMENTS = ("since", "until")


@dataclass(frozen=True, slots=True)
class FilmList:
    """What is gone through, and how. blinded: the model's answer is shown after the reader's own."""

    filters: Filters
    order: str = TRIAGE
    blinded: bool = False


def keep_list(session: Session, films: FilmList, now: datetime) -> int:
    """Return the number of this list; make it if it is new."""
    if films.order not in ORDERS:
        raise UsageError(f"expected an order among {', '.join(ORDERS)}, found {films.order!r}")
    body = {"filters": _to_json(films.filters), "order": films.order, "blinded": films.blinded}
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    known = select(ReadingList.id).where(ReadingList.digest == digest)
    if (number := session.scalar(known)) is not None:
        return number
    row = ReadingList(
        digest=digest, filters=body["filters"], films_order=films.order, blinded=films.blinded, created_at=now
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:  # another browser asked for it at the same moment
        return session.scalars(known).one()
    return row.id


def find_list(session: Session, number: int) -> FilmList:
    """Return the list of this number; raise UsageError without one."""
    row = session.get(ReadingList, number) if number < 2**63 else None
    if row is None:
        raise UsageError(f"expected a list of films, found no list {number}; begin at the first page")
    return FilmList(_from_json(row.filters), row.films_order, row.blinded)


def _to_json(filters: Filters) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name, value in asdict(filters).items():
        if isinstance(value, bytes):
            body[name] = value.hex()
        elif value is not None:
            body[name] = value.isoformat() if isinstance(value, date) else value
    return body


def _from_json(body: Mapping[str, Any]) -> Filters:
    values = dict(body)
    if "path" in values:
        values["path"] = bytes.fromhex(values["path"])
    values |= {name: date.fromisoformat(values[name]) for name in _DAYS if name in values}
    values |= {name: datetime.fromisoformat(values[name]) for name in _MOMENTS if name in values}
    return Filters(**values)
