"""Counts results by chosen columns; for whole runs from the counters kept as their images settled."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import LargeBinary, bindparam, case, func, literal_column, select
from sqlalchemy.orm import Session

from schemas.predictions import UNCERTAIN
from schemas.states import ItemState
from schemas.tables import Image, Model, Root, Run, RunTally, StoredPrediction, WorkItem
from wetread.store.images.places import known_roots, places_beginning_with
from wetread.store.results.filters import Filters, conditions, is_failed


class By(StrEnum):
    """What a summary tells apart, beside labels and reasons."""

    LABEL = "label"
    RUN = "run"
    MODEL = "model"
    MONTH = "month"
    DIRECTORY = "directory"


class LabelCount(NamedTuple):
    """Images of a label. group: a run, "2026-11", the path of a directory, or None. mean: None from counters."""

    group: Any
    model: str
    label: str
    images: int
    uncertain: int
    mean: float | None


class FailureCount(NamedTuple):
    """Images that were rejected or are dead."""

    group: Any
    model: str
    state: str
    reason: str
    images: int


_DIRECTORIES = select(Run.root_ids).where(Run.id == bindparam("run"))


def counted_by_runs(filters: Filters, by: By) -> bool:
    """Return whether the runs' own counters answer: of one run, or of all runs by run."""
    alone = replace(filters, run=None, model_digest=None) == Filters()
    return alone and ((filters.run is not None and by in (By.LABEL, By.RUN, By.MODEL)) or by == By.RUN)


def run_counts(session: Session, filters: Filters, by: By) -> tuple[list[LabelCount], list[FailureCount]]:
    """Return what the runs' counters say, as it was when their images settled; one row a counter is read."""
    query = (
        select(Run.id, Model.name, Model.version, RunTally.kind, RunTally.name, RunTally.count)
        .join(RunTally, RunTally.run_id == Run.id)
        .join(Model, Model.digest == Run.model_digest)
        .where(RunTally.count > 0)
        .order_by(Run.id, RunTally.name)
    )
    if filters.run is not None:
        query = query.where(Run.id == filters.run)
    if filters.model_digest is not None:
        query = query.where(Run.model_digest == filters.model_digest)
    rows = session.execute(query).all()
    unsure = {(run, label): count for run, _, _, kind, label, count in rows if kind == "uncertain"}
    labels = [
        LabelCount(run if by == By.RUN else None, f"{name}@{version}", label, count, unsure.get((run, label), 0), None)
        for run, name, version, kind, label, count in rows
        if kind == "label"
    ]
    failures = [
        FailureCount(run if by == By.RUN else None, f"{name}@{version}", kind, reason, count)
        for run, name, version, kind, reason, count in rows
        if kind in (ItemState.REJECTED, ItemState.DEAD)
    ]
    return labels, failures


def label_counts(session: Session, filters: Filters, by: By = By.LABEL) -> list[LabelCount]:
    """Return the counts of what `filters` let through; every such row is read."""
    uncertain = func.sum(case((StoredPrediction.decision == UNCERTAIN, 1), else_=0))
    group = _group(session, filters, by)
    keys = [*group, Model.name, Model.version, StoredPrediction.label]
    query = (
        select(*keys, func.count(), uncertain, func.avg(StoredPrediction.probability))
        .select_from(WorkItem)
        .join(Image, Image.id == WorkItem.image_id)
        .join(Model, Model.digest == WorkItem.model_digest)
        .join(StoredPrediction, StoredPrediction.id == WorkItem.prediction_id)
        .where(*conditions(session, filters))
        .group_by(*keys)
        .order_by(*keys)
    )
    named = _named(session, by)
    return [
        LabelCount(named(before), f"{name}@{version}", label, count, int(unsure), float(mean))
        for *before, name, version, label, count, unsure, mean in session.execute(query)
    ]


def failure_counts(session: Session, filters: Filters, by: By = By.LABEL) -> list[FailureCount]:
    """Return the counts of what was rejected or is dead, of what `filters` let through."""
    keys = [*_group(session, filters, by), Model.name, Model.version, WorkItem.state, WorkItem.reason]
    query = (
        select(*keys, func.count())
        .select_from(WorkItem)
        .join(Image, Image.id == WorkItem.image_id)
        .join(Model, Model.digest == WorkItem.model_digest)
        .outerjoin(StoredPrediction, StoredPrediction.id == WorkItem.prediction_id)
        .where(is_failed(), *conditions(session, filters))
        .group_by(*keys)
        .order_by(*keys)
    )
    named = _named(session, by)
    return [
        FailureCount(named(before), f"{name}@{version}", state, str(reason), count)
        for *before, name, version, state, reason, count in session.execute(query)
    ]


def _group(session: Session, filters: Filters, by: By) -> list[Any]:
    """Return the expressions that tell groups apart."""
    postgresql = session.get_bind().dialect.name == "postgresql"
    if by == By.RUN:
        return [WorkItem.run_id]
    if by == By.MONTH:
        if postgresql:
            return [literal_column("to_char(work_items.settled_at AT TIME ZONE 'UTC', 'YYYY-MM')").label("month")]
        return [literal_column("strftime('%Y-%m', work_items.settled_at)").label("month")]
    if by == By.DIRECTORY:
        depth = _depth(session, filters)
        rest = f"substr(images.path, {depth + 1})"
        slash = f"position('\\x2f'::bytea IN {rest})" if postgresql else f"instr({rest}, x'2f')"
        written = f"substr(images.path, 1, {depth} + {slash})"
        return [Image.root_id, literal_column(written, LargeBinary()).label("directory")]
    return []


def _depth(session: Session, filters: Filters) -> int:
    """Return how many bytes of a listed path the filters name as directories: the next one below tells apart.

    They name those of a run's only directory, or of the path that is asked for.
    """
    if filters.path is not None:
        places = places_beginning_with(session, filters.path)
    elif filters.run is not None:
        places = [root.place for root in known_roots(session, session.scalar(_DIRECTORIES, {"run": filters.run}) or [])]
    else:
        return 0
    return places[0].inside.rfind(b"/") + 1 if len(places) == 1 else 0


def _named(session: Session, by: By) -> Any:
    """Return what makes a group's name of its values."""
    if by != By.DIRECTORY:
        return lambda before: before[0] if before else None
    roots = {root.id: root.path.rstrip(b"/") + b"/" for root in session.scalars(select(Root))}
    return lambda before: roots[before[0]] + bytes(before[1])
