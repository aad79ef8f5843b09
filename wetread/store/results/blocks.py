"""Reads many results at once, column by column, as an export writes them.

What an export of millions costs is what is done to each value of each row. So moments, days and JSON stay the text that
the database holds or makes of them, and what many rows share is worked out once a block.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import JSON, ColumnElement, Date, DateTime, Row, String, Text, cast, func, select, type_coerce
from sqlalchemy.orm import Session

from schemas.table_base import UtcDateTime
from schemas.tables import Model, Root
from wetread.store.results.columns import EXPORTED, ColumnKind
from wetread.store.results.filters import Filters
from wetread.store.results.finding import ROWS_AT_ONCE, Sort, found_queries, sources

Block = dict[str, list[Any]]
"""A value a row under the name of each exported column, as its kind says. What has no value is None. It has
ROWS_AT_ONCE rows at most."""

_READ = [column for column in EXPORTED if column.kind is not ColumnKind.MODEL]  # its name comes of its digest
_NAMES = [column.name for column in _READ]
_CHANGED = [
    (column.name, column.kind)
    for column in EXPORTED
    if column.kind in (ColumnKind.PATH, ColumnKind.MODEL, ColumnKind.SHARES, ColumnKind.NOTES, ColumnKind.MOMENT)
]


def find_result_blocks(session: Session, filters: Filters) -> Iterator[Block]:
    """Yield what `filters` let through, in the order found, as `find_results` does, in blocks of columns."""
    dialect = session.get_bind().dialect.name
    columns = [_as_text(column, dialect) for column in sources(_READ)]
    shared = _shared(session)
    for query in found_queries(session, filters, Sort.FOUND, columns):
        # Of the connection: the session looks at each row for what it may have to map.
        rows = session.connection().execute(query.execution_options(yield_per=ROWS_AT_ONCE))
        # SQLite works in this process, and gains nothing by it.
        for some in rows.partitions() if dialect == "sqlite" else _one_ahead(rows.partitions()):
            below, *values = map(list, zip(*some, strict=True))
            block: Block = dict(zip(_NAMES, values, strict=True))
            for name, kind in _CHANGED:
                block[name] = shared.exported(kind, block.get(name, []), below, block["model_digest"])
            yield block


class _Shared(NamedTuple):
    """What many rows share. roots: {number: path with / behind}; models, templates: by digest, of names and shares."""

    roots: dict[int, bytes]
    models: dict[str, str]
    templates: dict[str, str]

    def exported(self, kind: ColumnKind, values: list[Any], below: list[int], digests: list[str]) -> list[Any]:
        """Return a column as a block has it. below: each row's root; digests: each row's model."""
        if kind is ColumnKind.PATH:
            roots = self.roots
            return [roots[root] + path for root, path in zip(below, values, strict=True)]
        if kind is ColumnKind.MODEL:
            return [self.models[digest] for digest in digests]
        if kind is ColumnKind.SHARES:
            templates = self.templates
            return [
                None if shares is None else templates[digest] % tuple(shares.strip("[]").replace(" ", "").split(","))
                for digest, shares in zip(digests, values, strict=True)
            ]
        if kind is ColumnKind.NOTES:
            return [note or None for note in values]
        return [moment and _iso(moment) for moment in values]


def _shared(session: Session) -> _Shared:
    models = session.scalars(select(Model)).all()
    return _Shared(
        {root.id: root.path.rstrip(b"/") + b"/" for root in session.scalars(select(Root))},
        {model.digest: f"{model.name}@{model.version}" for model in models},
        {model.digest: _template(model.labels) for model in models},
    )


def _one_ahead(partitions: Iterator[Sequence[Row[Any]]]) -> Iterator[Sequence[Row[Any]]]:
    """Yield what `partitions` does; while one is worked on, a thread waits for the server to make the next."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, partitions, None)
        while (some := coming.result()) is not None:
            coming = thread.submit(next, partitions, None)
            yield some


def _as_text(column: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
    """Return `column`, where it is no number and no text, as the text that it is or that PostgreSQL makes of it."""
    kind = column.type
    if not isinstance(kind, JSON | UtcDateTime | Date):
        return column
    if dialect == "sqlite":
        return type_coerce(column, String)
    if isinstance(kind, JSON):
        return cast(column, Text)
    if isinstance(kind, Date):
        # By way of a timestamp, or PostgreSQL would take it for a moment in the session's time zone.
        return func.to_char(cast(column, DateTime()), "YYYY-MM-DD")
    return func.to_char(func.timezone("UTC", column), "YYYY-MM-DD HH24:MI:SS.US")


@lru_cache(maxsize=1000)  # the films of a batch share it
def _iso(moment: str) -> str:
    """Return YYYY-MM-DD HH:MM:SS.ffffff as datetime.isoformat has it in UTC."""
    return f"{moment[:10]}T{moment[11:].removesuffix('.000000')}+00:00"


def _template(labels: Sequence[str]) -> str:
    """Return a JSON object of these labels with %s for each value."""
    named = (json.dumps(label, ensure_ascii=False).replace("%", "%%") for label in labels)
    return "{" + ", ".join(f"{label}: %s" for label in named) + "}"
