"""What readers said of a model's readings, lately and before: a fall of their agreement is an alarm.

What was said before the model's answer was shown and what was said with it in sight are counted apart: the second agree
more, and a site that begins to read blinded would look like a model that fell. A patient with several films counts as
several.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from schemas.alarms import Alarm, AlarmKind
from wetread.models.agreement import Agreement, agreement
from wetread.store.reviews.compared import labels_said

LATELY = timedelta(days=28)
LEAST_FILMS = 20
"""Of either time; with fewer nothing is an alarm."""

CHANCE = 2.326348
"""Standard errors: a fall that chance alone gives once in a hundred reports."""


@dataclass(frozen=True, slots=True)
class ReviewedLately:
    """How readers agree with a model, lately and before. answer: whether its answer was shown before they said theirs.

    lately, before: None where nothing was said. fell: the later agreement is less than before, by more than chance.
    """

    answer: str
    lately: Agreement | None
    before: Agreement | None

    @property
    def fell(self) -> bool:
        """Return whether agreement fell: a test of two shares, one-sided, with LEAST_FILMS in each."""
        one, other = self.lately, self.before
        if one is None or other is None or min(one.films, other.films) < LEAST_FILMS:
            return False
        pooled = (one.agreed * one.films + other.agreed * other.films) / (one.films + other.films)
        error = math.sqrt(pooled * (1 - pooled) * (1 / one.films + 1 / other.films))
        return error > 0 and (other.agreed - one.agreed) / error > CHANCE


def reviewed_lately(session: Any, model_digest: str, now: datetime) -> list[ReviewedLately]:
    """Return how readers agree with a model; empty where none of them said a label."""
    tables: dict[tuple[str, bool], Counter[tuple[str, str]]] = {}
    for answer, said_at, own, of_model in labels_said(session, model_digest):
        tables.setdefault((answer, said_at >= now - LATELY), Counter())[own, of_model] += 1
    return [
        ReviewedLately(answer, *(agreement(tables.get((answer, lately), {})) for lately in (True, False)))
        for answer in sorted({answer for answer, _ in tables})
    ]


def agreement_alarms(found: Sequence[ReviewedLately]) -> list[Alarm]:
    """Return an alarm for each agreement that fell."""
    return [
        Alarm(
            AlarmKind.AGREEMENT,
            f"Readers agree less with the model than before, where its answer was {one.answer}: "
            f"{one.lately.agreed:.0%} of {one.lately.films} reviews of {LATELY.days} days, {one.before.agreed:.0%} of "
            f"{one.before.films} before.",
            {
                "answer": one.answer, "agreed": one.lately.agreed, "films": one.lately.films,
                "agreed_before": one.before.agreed, "films_before": one.before.films, "days": LATELY.days,
            },
        )
        for one in found
        if one.fell and one.lately is not None and one.before is not None
    ]  # fmt: skip
