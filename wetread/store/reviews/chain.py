"""Hash chain of reviews: a row that was changed or deleted is noticed.

It does not show that the last rows were taken out, nor that somebody computed all hashes anew: note the last one, which
`verify` returns, somewhere else.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.tables import Review

FIRST = "0" * 64
_HASHED = (
    "sha256", "model_digest", "decision_digest", "model_label", "model_decision", "model_probability", "reader_id",
    "verdict", "label", "comment", "blinded", "seconds", "supersedes", "created_at", "previous_hash",
)  # fmt: skip
ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Chain:
    """What was found of all reviews. last: the hash of the last row. broken: the first row that does not fit."""

    rows: int
    last: str
    broken: int | None = None
    why: str | None = None


def row_hash(row: Review) -> str:
    """Return the SHA-256 of a review: of its values as a JSON array, the time as ISO 8601 in UTC."""
    values: list[Any] = [getattr(row, name) for name in _HASHED]
    values = [one.astimezone(UTC).isoformat() if hasattr(one, "astimezone") else one for one in values]
    return hashlib.sha256(json.dumps(values, separators=(",", ":")).encode()).hexdigest()


def last_hash(session: Session) -> str:
    """Return the hash of the last review, zeros where there is none."""
    return session.scalar(select(Review.row_hash).order_by(Review.id.desc()).limit(1)) or FIRST


def verify(session: Session) -> Chain:
    """Look through all reviews; return what was found."""
    before, rows = FIRST, 0
    query = select(Review).order_by(Review.id).execution_options(yield_per=ROWS_AT_ONCE)
    with session.scalars(query) as found:
        for row in found:
            if row.previous_hash != before:
                return Chain(rows, before, row.id, "the row before it was taken out, or another was put in")
            if row_hash(row) != row.row_hash:
                return Chain(rows, before, row.id, "it was changed after it was written")
            before, rows = row.row_hash, rows + 1
    return Chain(rows, before)


def has_hash(session: Session, noted: str) -> bool:
    """Return whether a review has this hash."""
    return session.scalar(select(Review.id).where(Review.row_hash == noted)) is not None
