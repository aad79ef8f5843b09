"""Streams results from the database, in an order that an index supports."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, text
from sqlalchemy.orm import Session

from schemas.states import ItemState
from schemas.table_base import Base
from schemas.tables import Model, Root, StoredPrediction, WorkItem
from wetread.store.results.columns import RESULT_COLUMNS, ResultColumn, ResultRow
from wetread.store.results.filters import Filters, beginning_with
from wetread.store.results.order import Key, Position, Sort, beyond, ordering, sort_keys
from wetread.store.results.plan import joined, plan

__all__ = ["Filters", "Position", "Sort", "beginning_with", "find_results", "found_queries", "position_of"]

ROWS_AT_ONCE = 2000
"""Rows that are in memory while many stream."""

FOR_A_PAGE = "SELECT " + ", ".join(
    f"set_config('enable_{way}', 'off', true)" for way in ("seqscan", "hashjoin", "mergejoin")
)
"""PostgreSQL has to come to the first rows soon, from indexes: it thinks of whole tables where it guesses wrong."""


_NAMES = [column.name for column in RESULT_COLUMNS]
_MODEL, _DIGEST, _SHARES = map(_NAMES.index, ("model", "model_digest", "probabilities"))


def sources(columns: Sequence[ResultColumn]) -> list[ColumnElement[Any]]:
    """Return the database's columns that these are read from, the number of a path's root before them.

    Of the tables, not of the mapped classes: the mapper would handle each row of millions once more.
    """
    places = (column.source.partition(".") for column in columns)
    tables = Base.metadata.tables
    return [tables["images"].c.root_id, *(tables[table].c[name] for table, _, name in places)]


def find_results(
    session: Session,
    filters: Filters,
    *,
    limit: int | None = None,
    sort: Sort | None = None,
    after: Position | None = None,
) -> Iterator[ResultRow]:
    """Yield the rows that `filters` let through, in the order `sort`, by default the natural one of the filters.

    after: the position of the last row that was seen: what comes behind it. Raises UsageError when that is gone.
    """
    columns = sources(RESULT_COLUMNS)
    roots = {root.id: root.path for root in session.scalars(select(Root))}
    models = {model.digest: model for model in session.scalars(select(Model))}
    names = {digest: f"{model.name}@{model.version}" for digest, model in models.items()}
    labels = {digest: model.labels for digest, model in models.items()}
    queries, left = found_queries(session, filters, sort, columns, after=after), limit
    if limit is not None and session.get_bind().dialect.name == "postgresql":
        session.execute(text(FOR_A_PAGE))
    for query in queries:
        if left is not None:
            query = query.limit(left)
        if left is None or left > ROWS_AT_ONCE:
            query = query.execution_options(yield_per=ROWS_AT_ONCE)
        for root, path, *values in session.execute(query):
            row = [os.path.join(roots[root], path), *values]
            row[_MODEL] = names[row[_DIGEST]]
            if row[_SHARES] is not None:
                row[_SHARES] = dict(zip(labels[row[_DIGEST]], row[_SHARES], strict=True))
            yield ResultRow._make(row)
            if left is not None:
                left -= 1
        if left == 0:
            return


def position_of(session: Session, run: int, image: int) -> Position | None:
    """Return where the listed row of this image in this run stands; None when it is not there, or not settled."""
    query = (
        select(WorkItem, StoredPrediction.id, StoredPrediction.probability)
        .outerjoin(StoredPrediction, StoredPrediction.id == WorkItem.prediction_id)
        .where(WorkItem.run_id == run, WorkItem.image_id == image, WorkItem.state != ItemState.PENDING)
    )
    row = session.execute(query).first()
    if row is None:
        return None
    item, number, probability = row
    return Position(image, item.model_digest, item.state, item.reason, item.settled_at, number, probability)


def found_queries(
    session: Session,
    filters: Filters,
    sort: Sort | None,
    columns: Sequence[ColumnElement[Any]],
    *,
    after: Position | None = None,
) -> list[Select[Any]]:
    """Return the queries whose rows, one after another, are the results as in `find_results`.

    columns: of images, work_items, predictions and film_headers, which are joined.
    """
    made = plan(session, filters, sort)
    keys = sort_keys(session, made.sort, filters)
    behind = [] if after is None else beyond(session, keys, made.sort, after)
    if made.sorts and session.get_bind().dialect.name == "postgresql":
        # In words of no index: PostgreSQL would walk one in order, hoping to meet the few soon.
        keys = [Key(key.name, func.coalesce(key.column, key.column)) for key in keys]
    return [
        select(*columns)
        .select_from(joined(part, filters, made.sort))
        .where(*part.where, *behind)
        .order_by(*ordering(keys, made.sort))
        for part in made.parts
    ]
