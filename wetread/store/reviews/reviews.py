"""Stores reviews: rows are only added, and the latest of a reader and a film counts."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from schemas.errors import UsageError
from schemas.review_tables import AGREE, DISAGREE, LABELLED, VERDICTS, WITHDRAWN
from schemas.tables import Review, StoredReader
from wetread.store.results.columns import ResultRow
from wetread.store.reviews.chain import last_hash, row_hash

MOST_COMMENT = 4000
"""Characters."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a reader says. label: what they see, of the model's labels; it must be there of disagree, and of it alone.

    Of agree it may be the film's own.

    blinded: the model's answer was not shown before. seconds: that they looked.
    """

    verdict: str
    label: str | None = None
    comment: str = ""
    blinded: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A review, and whether a later one of the same reader supersedes it."""

    id: int
    reader: str
    reader_id: int
    verdict: str
    label: str | None
    comment: str
    blinded: bool
    seconds: float
    created_at: datetime
    superseded: bool


def add_review(
    session: Session, film: ResultRow, labels: Sequence[str], reader_id: int, said: Said, now: datetime
) -> Review:
    """Add a reader's review of a film and return it; it supersedes their earlier review of these bytes.

    Under `lock_reviews`, taken before anything was read. labels: those that can be said.
    Raises UsageError for a verdict that cannot be, of a film that was never read, or with nothing to withdraw.
    """
    if film.sha256 is None:
        raise UsageError("expected a film whose bytes were read, found one whose were not: it has no digest to keep")
    _check(film, labels, said)
    before = _counting(session, film.sha256, reader_id)
    if said.verdict == WITHDRAWN and before is None:
        raise UsageError("expected a review of yours to take back, found none")
    row = Review(
        sha256=film.sha256, model_digest=film.model_digest, decision_digest=film.decision_digest,
        model_label=film.label, model_decision=film.decision, model_probability=film.probability, reader_id=reader_id,
        verdict=said.verdict, label=film.label if said.verdict == AGREE else said.label, comment=said.comment,
        blinded=said.blinded, seconds=round(float(said.seconds), 3), supersedes=None if before is None else before.id,
        created_at=now, previous_hash=last_hash(session),
    )  # fmt: skip
    row.row_hash = row_hash(row)
    session.add(row)
    return row


def reviews_of(session: Session, sha256: str | None) -> list[ReviewRow]:
    """Return all reviews of these bytes, the latest first."""
    return reviews_of_films(session, [sha256])[sha256] if sha256 else []


def reviews_of_films(session: Session, digests: Sequence[str | None]) -> dict[str | None, list[ReviewRow]]:
    """Return all reviews by the SHA-256 of the films' bytes, the latest first."""
    query = (
        select(Review, StoredReader.name)
        .join(StoredReader, StoredReader.id == Review.reader_id)
        .where(Review.sha256.in_({digest for digest in digests if digest}))
        .order_by(Review.id.desc())
    )
    rows = session.execute(query).all()
    superseded = {row.supersedes for row, _ in rows}
    found: defaultdict[str | None, list[ReviewRow]] = defaultdict(list)
    for row, name in rows:
        found[row.sha256].append(
            ReviewRow(
                row.id, name, row.reader_id, row.verdict, row.label, row.comment, row.blinded, row.seconds,
                row.created_at, row.id in superseded,
            )
        )  # fmt: skip
    return found


def all_reviews(session: Session, *, after: int = 0, limit: int | None = None) -> Iterator[tuple[Review, str, bool]]:
    """Yield (review, reader, whether a later one supersedes it) of all that was ever said, oldest first.

    after: only those with a greater number; at most `limit` of them.
    """
    later = aliased(Review)
    superseded = select(later.id).where(later.supersedes == Review.id).exists()
    query = select(Review, StoredReader.name, superseded).join(StoredReader, StoredReader.id == Review.reader_id)
    query = query.where(Review.id > after).order_by(Review.id).limit(limit)
    for review, name, over in session.execute(query):
        yield review, name, bool(over)


def counting_reviews(session: Session, *, model_digest: str | None = None) -> Iterator[tuple[Review, str]]:
    """Yield (review, reader) of what counts: neither superseded nor withdrawn, oldest first; of all models, or one."""
    later = aliased(Review)
    query = (
        select(Review, StoredReader.name)
        .join(StoredReader, StoredReader.id == Review.reader_id)
        .where(Review.verdict != WITHDRAWN, ~select(later.id).where(later.supersedes == Review.id).exists())
        .order_by(Review.id)
    )
    if model_digest is not None:
        query = query.where(Review.model_digest == model_digest)
    for review, name in session.execute(query):  # noqa: UP028 - rows, which have another type
        yield review, name


def _counting(session: Session, sha256: str, reader_id: int) -> Review | None:
    query = select(Review).where(Review.sha256 == sha256, Review.reader_id == reader_id)
    row = session.scalar(query.order_by(Review.id.desc()).limit(1))
    return None if row is None or row.verdict == WITHDRAWN else row


def _check(film: ResultRow, labels: Sequence[str], said: Said) -> None:
    if said.verdict not in VERDICTS:
        raise UsageError(f"expected a verdict among {', '.join(VERDICTS)}, found {said.verdict!r}")
    if said.verdict == AGREE and film.label is None:
        raise UsageError("expected a film with a label to agree with, found one that was not read")
    if said.verdict == AGREE and said.label not in (None, film.label):
        raise UsageError(
            f"expected no label, or the film's {film.label!r} that is agreed with, found {said.label!r}; "
            f"the verdict {DISAGREE} gives another"
        )
    if said.verdict == DISAGREE and (said.label not in labels or said.label == film.label):
        raise UsageError(f"expected another of the labels {', '.join(labels)}, found {said.label!r}")
    if said.verdict not in LABELLED and said.label is not None:
        raise UsageError(f"expected no label with the verdict {said.verdict}, found {said.label!r}")
    if len(said.comment) > MOST_COMMENT or "\0" in said.comment:
        raise UsageError(f"expected a comment of at most {MOST_COMMENT} characters, found {len(said.comment)}")
    if not (math.isfinite(said.seconds) and 0 <= said.seconds <= 86_400):
        raise UsageError("expected the seconds that the film was looked at, within a day")
