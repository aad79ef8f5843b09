"""Finds the current failures: of each image and model the latest result, over all runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.reasons import WORLD_REASONS
from schemas.states import ItemState
from schemas.tables import Run, RunTally, WorkItem
from wetread.store.core.image_set import ImageSet
from wetread.store.results.columns import ResultRow
from wetread.store.results.filters import Filters
from wetread.store.results.finding import Sort, find_results

AT_ONCE = 500
"""Rows that are looked at together, well within the parameters that a database takes."""


def current_failures(
    session: Session, *, reasons: Sequence[str] = (), model_digest: str | None = None, limit: int | None = None
) -> Iterator[ResultRow]:
    """Yield what is rejected or dead now, at most `limit` rows, by state and reason.

    A film that could not be reached, but was read before, keeps that reading; it is here too, behind the others, the
    latest run first, until a later run has read it.
    """
    rows = _all(session, reasons, model_digest, limit)
    return rows if limit is None else islice(rows, limit)


def _all(session: Session, reasons: Sequence[str], model_digest: str | None, limit: int | None) -> Iterator[ResultRow]:
    for reason in reasons or (None,):
        yield from _failed(session, Filters(model_digest=model_digest, reason=reason), limit)
    seen: dict[str, ImageSet] = {}
    for run, digest, reason in _unreached(session, reasons, model_digest):
        rows = _failed(session, Filters(run=run, reason=reason), None)
        while some := list(islice(rows, AT_ONCE)):
            images = [row.image_id for row in some]
            told = seen.setdefault(digest, ImageSet())
            kept = _read_before(session, digest, run, images) - told.among(images)
            told.update(kept)
            yield from (row for row in some if row.image_id in kept)


def _failed(session: Session, filters: Filters, limit: int | None) -> Iterator[ResultRow]:
    return find_results(session, filters, sort=Sort.REASON, limit=limit)


def _unreached(session: Session, reasons: Sequence[str], model_digest: str | None) -> list[tuple[int, str, str]]:
    """Return (run, model, reason) where a run could not reach films, the latest run first."""
    asked = [str(reason) for reason in WORLD_REASONS if not reasons or reason in reasons]
    query = (
        select(Run.id, Run.model_digest, RunTally.name)
        .join(RunTally, RunTally.run_id == Run.id)
        .where(RunTally.kind == ItemState.REJECTED, RunTally.name.in_(asked), RunTally.count > 0)
        .order_by(Run.id.desc(), RunTally.name)
    )
    if model_digest is not None:
        query = query.where(Run.model_digest == model_digest)
    return [(run, digest, reason) for run, digest, reason in session.execute(query)]


def _read_before(session: Session, digest: str, run: int, images: Sequence[int]) -> set[int]:
    """Return those of `images` whose current reading is of a run before this one."""
    query = select(WorkItem.image_id).where(
        WorkItem.model_digest == digest, WorkItem.image_id.in_(images), WorkItem.current, WorkItem.run_id < run
    )
    return set(session.scalars(query))
