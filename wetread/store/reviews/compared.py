"""Agreement tables over the same films: readers with models, and readers with each other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.review_tables import LABELLED
from schemas.tables import Model
from wetread.store.reviews.reviews import counting_reviews

BLINDED, SHOWN = "not shown before", "shown"


@dataclass(frozen=True, slots=True)
class Compared:
    """Who is compared with whom. answer: whether the model's answer was shown; None between readers.

    table: {(label by one, label by the other): films}.
    """

    one: str
    other: str
    answer: str | None
    table: dict[tuple[str, str], int]


def labels_said(session: Session, model_digest: str) -> Iterator[tuple[str, datetime, str, str]]:
    """Yield (BLINDED or SHOWN, when, the reader's label, the model's) of what counts of this model's readings."""
    for review, _ in counting_reviews(session, model_digest=model_digest):
        if review.verdict in LABELLED and review.label is not None and review.model_label is not None:
            yield BLINDED if review.blinded else SHOWN, review.created_at, review.label, review.model_label


def compared_reviews(session: Session) -> list[Compared]:
    """Return the tables: of each reader with each model, blinded and not, then of each pair of readers."""
    models = {model.digest: f"{model.name}@{model.version}" for model in session.scalars(select(Model))}
    with_models: defaultdict[tuple[str, str, str], Counter[tuple[str, str]]] = defaultdict(Counter)
    by_film: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for review, reader in counting_reviews(session):
        if review.verdict not in LABELLED or review.label is None:
            continue
        by_film[review.sha256][reader] = review.label
        if review.model_label is not None and review.model_digest is not None:
            model = models.get(review.model_digest, review.model_digest[:12])
            key = (reader, model, BLINDED if review.blinded else SHOWN)
            with_models[key][review.label, review.model_label] += 1
    among: defaultdict[tuple[str, str], Counter[tuple[str, str]]] = defaultdict(Counter)
    for said in by_film.values():
        for one, other in combinations(sorted(said), 2):
            among[one, other][said[one], said[other]] += 1
    found = [Compared(*key, dict(table)) for key, table in sorted(with_models.items())]
    return [*found, *(Compared(one, other, None, dict(table)) for (one, other), table in sorted(among.items()))]
