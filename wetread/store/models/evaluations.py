"""Stores models' evaluations on labelled films, for promotions to check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from schemas.promotion_tables import Evaluation

Figure = Mapping[str, float]
"""{"value", "low", "high"}: a figure and its 95% interval."""


@dataclass(frozen=True, slots=True)
class StoredEvaluation:
    """One model's figures, or where `against_digest` is given its figures minus the other's, with paired intervals.

    side: of the split. learned_from: one of the two was trained or chosen on these films.
    figures: those that are defined, by name.
    """

    model_digest: str
    against_digest: str | None
    data_digest: str
    side: str | None
    learned_from: bool
    films: int
    patients: int
    figures: Mapping[str, Figure]
    evaluated_at: datetime


def keep_evaluation(session: Session, evaluation: StoredEvaluation) -> None:
    """Record an evaluation."""
    session.add(
        Evaluation(
            model_digest=evaluation.model_digest,
            against_digest=evaluation.against_digest,
            data_digest=evaluation.data_digest,
            side=evaluation.side,
            learned_from=evaluation.learned_from,
            films=evaluation.films,
            patients=evaluation.patients,
            figures={name: dict(figure) for name, figure in evaluation.figures.items()},
            evaluated_at=evaluation.evaluated_at,
        )
    )


def latest_evaluation(session: Session, digest: str) -> StoredEvaluation | None:
    """Return the latest evaluation of the model alone on films that it did not learn from."""
    return _latest(session, and_(Evaluation.model_digest == digest, Evaluation.against_digest.is_(None)))


def latest_comparison(session: Session, digest: str, other: str) -> StoredEvaluation | None:
    """Return the latest comparison of two models on films that neither learned from, whichever was named first."""
    pairs = [
        and_(Evaluation.model_digest == one, Evaluation.against_digest == two)
        for one, two in ((digest, other), (other, digest))
    ]
    return _latest(session, or_(*pairs))


def _latest(session: Session, which) -> StoredEvaluation | None:  # type: ignore[no-untyped-def]  # a condition
    query = select(Evaluation).where(which, Evaluation.learned_from.is_(False)).order_by(Evaluation.id.desc())
    row = session.scalar(query.limit(1))
    if row is None:
        return None
    return StoredEvaluation(
        row.model_digest, row.against_digest, row.data_digest, row.side, row.learned_from, row.films, row.patients,
        row.figures, row.evaluated_at,
    )  # fmt: skip
