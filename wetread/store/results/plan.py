"""Chooses the table and the index that a question is answered from.

A filter alone is answered from its own index, which holds its natural order. Of several filters, or in another order,
each one's rows are counted up to FEW: from the one that lets through fewest, and no more than FEW, all are taken and
sorted; where every one lets through more, the order's own index is walked and what the filters refuse is passed over.
SQLite keeps no statistics and joins as it is told here; PostgreSQL's planner comes to the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Join, func, or_, outerjoin, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler

from schemas.tables import Image, Model, Run, StoredHeader, StoredPrediction, WorkItem
from wetread.store.results.filters import (
    Filters,
    conditions,
    is_failed,
    of_header,
    of_item,
    of_reading,
    path_ranges,
    scope,
)
from wetread.store.results.order import Sort, natural_sort

FEW = 20_000
"""Rows that are sorted in a moment."""


class InOrder(Join):
    """A join whose left side is walked first, also where SQLite would guess otherwise."""

    inherit_cache = True


@compiles(InOrder, "sqlite")
def _sqlite(join: InOrder, compiler: SQLCompiler, **options: Any) -> str:
    left = compiler.process(join.left, **(options | {"asfrom": True}))
    written: str = compiler.visit_join(join, **options)  # type: ignore[no-untyped-call]  # SQLAlchemy's own, without types
    return left + written[len(left) :].replace(" JOIN ", " CROSS JOIN ", 1)


@dataclass(frozen=True, slots=True)
class QueryPart:
    """Some of the rows: `first` is the table that is walked, `where` what holds of them all."""

    first: Any
    where: list[ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """How a question is answered: part by part. sorts: there is one part, of few rows, and they are sorted."""

    sort: Sort
    parts: list[QueryPart]
    sorts: bool = False


def plan(session: Session, filters: Filters, sort: Sort | None) -> QueryPlan:
    """Return how the results that `filters` let through are read in the order `sort`, by default their natural one."""
    wanted = sort or natural_sort(filters)
    every = [*conditions(session, filters, headers_joined=True), *_of_order(wanted, filters)]
    drivers = list(_drivers(session, filters))
    if len(drivers) > 1 or (drivers and drivers[0][0] != wanted):
        counted = [
            (
                _settled(session, filters.run)
                if lies == Sort.FOUND and filters.run is not None
                else _count(session, part),
                number,
            )
            for number, (lies, part) in enumerate(drivers)
        ]
        fewest, number = min(counted)
        if fewest <= FEW:
            part = drivers[number][1]
            return QueryPlan(wanted, [QueryPart(part.first, [*part.where, *every])], sorts=True)
    if wanted == Sort.PATH:
        alone = replace(filters, path=None)
        inside = [*conditions(session, alone, headers_joined=True), *_of_order(wanted, filters)]
        ranges = path_ranges(session, b"/" if filters.path is None else filters.path)
        return QueryPlan(wanted, [QueryPart(Image, [among, *inside]) for among in ranges])
    return QueryPlan(wanted, [QueryPart(StoredPrediction if wanted.by_probability else WorkItem, every)])


def joined(part: QueryPart, filters: Filters, sort: Sort) -> Any:
    """Return the tables of a part, joined in the order in which they are walked; readings and headers may be absent."""
    image, reading = WorkItem.image_id == Image.id, WorkItem.prediction_id == StoredPrediction.id
    items: Any = WorkItem.__table__
    source: Any
    if part.first is Image:
        # By model too: the index of current readings begins with it.
        source = InOrder(Image.__table__, items, image & WorkItem.model_digest.in_(select(Model.digest)))
    elif part.first is StoredPrediction:
        source = InOrder(InOrder(StoredPrediction.__table__, items, reading), Image.__table__, image)
    elif part.first is StoredHeader:
        headed = InOrder(StoredHeader.__table__, items, WorkItem.header_id == StoredHeader.id)
        source = InOrder(headed, Image.__table__, image)
    else:
        source = InOrder(items, Image.__table__, image)
    if part.first is not StoredPrediction:
        must_be_read = filters.asks_reading or sort.by_probability
        source = (InOrder if must_be_read else outerjoin)(source, StoredPrediction.__table__, reading)
    if part.first is not StoredHeader:
        source = outerjoin(source, StoredHeader.__table__, WorkItem.header_id == StoredHeader.id)
    return source


def _of_order(sort: Sort, filters: Filters) -> list[ColumnElement[bool]]:
    return [is_failed()] if sort == Sort.REASON and filters.failed_state is None else []


def _drivers(session: Session, filters: Filters) -> Iterator[tuple[Sort | None, QueryPart]]:
    """Yield what each of the filters can be answered from, and the order in which that lies, if in any."""
    if wanted := of_header(filters):
        yield None, QueryPart(StoredHeader, wanted)
    if filters.asks_reading:
        yield Sort.MOST_PROBABLE, QueryPart(StoredPrediction, of_reading(filters))
    if filters.path is not None:
        ranges = path_ranges(session, filters.path)
        yield Sort.PATH, QueryPart(Image, [or_(*ranges)] if ranges else [Image.id < 0])
    if filters.failed_state is not None:
        yield Sort.REASON, QueryPart(WorkItem, [*scope(filters), *of_item(filters)])
    elif filters.run is not None:
        yield Sort.FOUND, QueryPart(WorkItem, scope(filters))
    elif filters.since is not None or filters.until is not None:
        yield Sort.OLDEST, QueryPart(WorkItem, [*scope(filters), *of_item(filters)])
    if filters.run is None and filters.model_digest is not None:
        yield Sort.FOUND, QueryPart(WorkItem, [*scope(filters), WorkItem.model_digest == filters.model_digest])


def _settled(session: Session, run_id: int) -> int:
    """Return how many images a run has settled itself, by its accounts, which cost one row."""
    settled = select(Run.done + Run.rejected + Run.dead + Run.cancelled).where(Run.id == run_id)
    return session.scalar(settled) or 0


def _count(session: Session, part: QueryPart) -> int:
    """Return how many rows the part has, or FEW + 1 where it has more."""
    some = select(part.first.id if part.first is not WorkItem else WorkItem.image_id).where(*part.where)
    return session.scalar(select(func.count()).select_from(some.limit(FEW + 1).subquery())) or 0
