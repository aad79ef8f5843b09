"""Pages through a list's films in the list's order, forwards and backwards.

In triage the uncertain films come first, then the others; of each, those nearest to the threshold of their most
probable label. Within one label that is the order of an index, so a page is merged from one walk a label, each of
which begins where the page does: no row is counted over, however far in it lies.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.errors import UsageError
from schemas.predictions import UNCERTAIN
from schemas.reader_tables import TRIAGE
from schemas.tables import Model, Run, StoredDecision
from wetread.store.results.columns import ResultRow
from wetread.store.results.filters import Filters
from wetread.store.results.finding import Position, Sort, find_results, position_of
from wetread.store.reviews.reading_lists import FilmList

_TURNED = {
    Sort.NEWEST: Sort.OLDEST, Sort.OLDEST: Sort.NEWEST, Sort.MOST_PROBABLE: Sort.LEAST_PROBABLE,
    Sort.LEAST_PROBABLE: Sort.MOST_PROBABLE,
}  # fmt: skip

_SURE = 1
_UNSURE = 0


@dataclass(frozen=True, slots=True)
class FilmKey:
    """Where a film stands in a list: the run that read it, and the image's number."""

    run: int
    image: int


def model_of(session: Session, filters: Filters) -> Model:
    """Return the one model whose readings these filters are about; raise UsageError where they do not say."""
    digest = filters.model_digest
    if digest is None and filters.run is not None:
        digest = session.scalar(select(Run.model_digest).where(Run.id == filters.run))
    model = None if digest is None else session.get(Model, digest)
    if model is None:
        raise UsageError("expected a list of one model's readings, found one that names none; choose a run or a model")
    return model


def page_of_films(
    session: Session, films: FilmList, *, limit: int, beside: FilmKey | None = None, backwards: bool = False
) -> list[ResultRow]:
    """Return at most `limit` films behind `beside`, or from the beginning; backwards: those before it, nearest first.

    Raises UsageError where the film `beside` was read anew or deleted since.
    """
    failed = films.filters.failed_state is not None
    if films.order == TRIAGE and not failed:
        return list(islice(_triage(session, films.filters, limit, beside, backwards), limit))
    sort = Sort.NEWEST if films.order == TRIAGE else Sort(films.order)
    if failed and sort.by_probability:
        raise UsageError("films that could not be read have no probability: choose newest or oldest")
    sort = _TURNED[sort] if backwards else sort
    after = None if beside is None else position_of(session, beside.run, beside.image)
    if beside is not None and after is None:
        raise _gone()
    return list(find_results(session, films.filters, limit=limit, sort=sort, after=after))


Key = tuple[float, ...]


def _triage(
    session: Session, filters: Filters, limit: int, beside: FilmKey | None, backwards: bool
) -> Iterator[ResultRow]:
    model = model_of(session, filters)
    decision = session.get(StoredDecision, model.decision_digest)
    thresholds = {} if decision is None else decision.thresholds
    labels = [label for label in model.labels if filters.label in (None, label)]
    of = replace(filters, model_digest=model.digest)
    start = None if beside is None else _standing(session, of, beside)

    def key(row: ResultRow) -> Key:
        return _key(row, labels, thresholds)

    legs = [_UNSURE, _SURE]
    for leg in reversed(legs) if backwards else legs:
        if start is not None and (leg > start[0] if backwards else leg < start[0]):
            continue
        streams = [
            _stream(session, of, label, thresholds.get(label, 0.0), leg, limit, start, backwards)
            for label in labels
            if _asks_for(filters, label, leg)
        ]
        merged = heapq.merge(*streams, key=key, reverse=backwards)
        behind = None if start is None or start[0] != leg else key(start[1])
        for row in merged:
            if behind is None or (key(row) < behind if backwards else key(row) > behind):
                yield row


def _standing(session: Session, filters: Filters, beside: FilmKey) -> tuple[int, ResultRow]:
    position = position_of(session, beside.run, beside.image)
    # Of its own run, where it is settled for ever: as the current reading another run may have its place by now.
    before = None if position is None else one_film(session, beside)
    if before is None or before.probability is None or before.model_digest != filters.model_digest:
        raise _gone()
    return (_UNSURE if before.decision == UNCERTAIN else _SURE), before


def one_film(session: Session, key: FilmKey) -> ResultRow | None:
    """Return what a run made of an image; None where it is not there, or not settled."""
    return next(find_results(session, Filters(run=key.run, image_id=key.image), limit=1), None)


def _asks_for(filters: Filters, label: str, leg: int) -> bool:
    wanted = filters.decision
    return wanted is None or (wanted == UNCERTAIN if leg == _UNSURE else wanted == label)


def _stream(
    session: Session,
    filters: Filters,
    label: str,
    threshold: float,
    leg: int,
    limit: int,
    start: tuple[int, ResultRow] | None,
    backwards: bool,
) -> Iterator[ResultRow]:
    """Yield the films of one label in triage's order; where the page begins in this leg, from about there on."""
    low, high = (0.0, threshold) if leg == _UNSURE else (threshold, 1.0)
    descends = (leg == _UNSURE) != backwards
    after = None
    if start is not None and start[0] == leg:
        before = start[1]
        if before.label == label:
            after = Position.of(before)
        else:
            # As far from this label's threshold as that film is from its own, and a little more for rounding.
            far = (before.probability or 0.0) - _threshold(session, before)
            from_here = threshold + far
            if descends:
                high = min(high, math.nextafter(from_here, 2) + 1e-12)
            else:
                low = max(low, math.nextafter(from_here, -1) - 1e-12)
    if filters.min_probability is not None:
        low = max(low, filters.min_probability)
    if filters.max_probability is not None:
        high = min(high, filters.max_probability)
    if low > high:
        return
    # Not by the decision, which the range says already: what is counted then lies in the index.
    of = replace(filters, label=label, decision=None, state=None, min_probability=low, max_probability=high)
    sort = Sort.MOST_PROBABLE if descends else Sort.LEAST_PROBABLE
    left = limit + 1
    while True:
        rows = list(find_results(session, of, limit=left, sort=sort, after=after))
        yield from (row for row in rows if (row.decision == UNCERTAIN) == (leg == _UNSURE))
        if len(rows) < left:
            return
        after = Position.of(rows[-1])


def _threshold(session: Session, row: ResultRow) -> float:
    decision = session.get(StoredDecision, row.decision_digest)
    return 0.0 if decision is None or row.label is None else float(decision.thresholds.get(row.label, 0.0))


def _key(row: ResultRow, labels: Sequence[str], thresholds: Mapping[str, float]) -> Key:
    label, probability = row.label or "", row.probability or 0.0
    distance = probability - thresholds.get(label, 0.0)
    place = float(labels.index(label)) if label in labels else -1.0
    number = float(row.prediction_id or 0), float(row.image_id)
    if row.decision == UNCERTAIN:
        return (-distance, place, -probability, -number[0], -number[1])
    return (distance, place, probability, *number)


def _gone() -> UsageError:
    return UsageError("the film at which this page begins was read anew or deleted since; begin the list again")
