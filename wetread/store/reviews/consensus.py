"""Finds the films to which all readers who reviewed them gave the same label."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.review_tables import LABELLED
from schemas.tables import Image, Root, StoredHeader, WorkItem
from wetread.store.reviews.reviews import counting_reviews
from wetread.store.work.known_readings import readings_of_bytes

AT_ONCE = 500
"""Films that are looked up together, well within the parameters that a database takes."""


@dataclass(frozen=True, slots=True)
class ConsensusFilm:
    """A film to which all who gave it a label gave the same. path: absolute. patient: a hash, or the film's digest."""

    path: bytes
    label: str
    patient: str
    readers: int
    sha256: str


def consensus_films(session: Session, *, least: int = 1) -> tuple[list[ConsensusFilm], dict[str, int]]:
    """Return the films that at least `least` readers gave one label, by path, and why how many were left out."""
    labels: defaultdict[str, list[str | None]] = defaultdict(list)
    for review, _ in counting_reviews(session):
        labels[review.sha256].append(review.label if review.verdict in LABELLED else None)
    left_out: Counter[str] = Counter()
    agreed: dict[str, str] = {}
    for sha256, given in labels.items():
        named = {label for label in given if label is not None}
        if len(named) > 1:
            left_out["on which readers differ"] += 1
        elif None in given or not named:
            left_out["of which a reader was unsure, or called it no film"] += 1
        elif len(given) < least:
            left_out["that too few readers looked at"] += 1
        else:
            agreed[sha256] = next(iter(named))
    places = _places(session, list(agreed))
    left_out["whose place is not known any more"] = len(agreed) - len(places)
    films = [
        ConsensusFilm(path, agreed[sha256], patient or sha256, len(labels[sha256]), sha256)
        for sha256, (path, patient) in places.items()
    ]
    return sorted(films, key=lambda film: film.path), {why: count for why, count in left_out.items() if count}


def _places(session: Session, digests: Sequence[str]) -> dict[str, tuple[bytes, str | None]]:
    found: dict[str, tuple[bytes, str | None]] = {}
    for start in range(0, len(digests), AT_ONCE):
        some = digests[start : start + AT_ONCE]
        query = (
            select(WorkItem.sha256, Root.path, Image.path, StoredHeader.patient_hash)
            .join(Image, Image.id == WorkItem.image_id)
            .join(Root, Root.id == Image.root_id)
            .outerjoin(StoredHeader, StoredHeader.id == WorkItem.header_id)
            .where(WorkItem.prediction_id.in_(readings_of_bytes(some)), WorkItem.sha256.in_(some), WorkItem.current)
            .order_by(Image.id)
        )
        for sha256, root, path, patient in session.execute(query):
            found.setdefault(sha256 or "", (os.path.join(root, path), patient))
    return found
