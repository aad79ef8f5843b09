"""Counts the words of DICOM headers that set films aside in a run; a rare word is not named."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from schemas.reasons import WORD_REASONS, Reason
from schemas.states import ItemState
from schemas.tables import StoredHeader, WorkItem

LEAST_FILMS, LEAST_STUDIES = 10, 2
"""A word is named that so many films, of so many studies, share: what one film alone says may be about its patient."""


@dataclass(frozen=True, slots=True)
class FoundWord:
    """How many films of a run one word set aside; without a word: all words too rare to be named."""

    reason: Reason
    word: str | None
    films: int


def found_words(session: Session, run_id: int | None = None, model_digest: str | None = None) -> list[FoundWord]:
    """Return the words that set films aside, the most frequent first, the rare ones last.

    run_id: in that run; None: as things stand. model_digest: of this model alone.
    """
    films = func.count()
    query = (
        select(WorkItem.reason, WorkItem.word, films, func.count(StoredHeader.study_uid.distinct()))
        .outerjoin(StoredHeader, StoredHeader.id == WorkItem.header_id)
        .where(WorkItem.current if run_id is None else WorkItem.run_id == run_id)
        .where(WorkItem.state == ItemState.REJECTED)
        .where(WorkItem.reason.in_(sorted(WORD_REASONS)))
        .group_by(WorkItem.reason, WorkItem.word)
    )
    if model_digest is not None:
        query = query.where(WorkItem.model_digest == model_digest)
    named, rare = list[FoundWord](), dict[Reason, int]()
    for said, word, count, studies in session.execute(query):
        reason = Reason(said or "")
        if word is not None and count >= LEAST_FILMS and studies >= LEAST_STUDIES:
            named.append(FoundWord(reason, word, count))
        else:
            rare[reason] = rare.get(reason, 0) + count
    named.sort(key=lambda found: (-found.films, found.reason, found.word or ""))
    return named + [FoundWord(reason, None, rare[reason]) for reason in sorted(rare)]
