"""Many results at once, column by column, as an export writes them.

What an export of millions costs is what is done to each value of each row. So moments, days and JSON stay the text that
the database holds or makes of them, and what many rows share is worked out once a block.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, ColumnElement, Date, DateTime, Row, String, Text, cast, func, select, type_coerce
from sqlalchemy.orm import Session

from schemas.table_base import UtcDateTime
from schemas.tables import Image, Model, Root, StoredHeader, StoredPrediction, WorkItem
from wetread.store.results.filters import Filters
from wetread.store.results.finding import ROWS_AT_ONCE, Sort, found_queries

Block = dict[str, list[Any]]
"""A value a row under the name of each column. path: absolute, as bytes. read_at, settled_at: ISO 8601 in UTC.
acquired_on: YYYY-MM-DD. probabilities, pixel_spacing: JSON, the first an object, label to probability. What has no
value is None. It has ROWS_AT_ONCE rows at most."""

_COLUMNS = {
    Image: ("root_id", "path"),
    WorkItem: ("sha256", "state", "reason", "model_digest", "run_id", "settled_at"),
    StoredPrediction: (
        "label", "probability", "probabilities", "decision", "decision_digest", "engine", "read_at", "gate_score",
    ),
    StoredHeader: (
        "study_uid", "series_uid", "instance_uid", "view", "modality", "acquired_on", "pixel_spacing", "patient_hash",
        "display_note",
    ),
}  # fmt: skip
_NAMES = [name for names in _COLUMNS.values() for name in names]


def find_result_blocks(session: Session, filters: Filters) -> Iterator[Block]:
    """Yield what `filters` let through, in the order found, as `find_results` does, in blocks of columns."""
    dialect = session.get_bind().dialect.name
    columns = [_as_text(table.__table__.c[name], dialect) for table, names in _COLUMNS.items() for name in names]
    roots = {root.id: root.path.rstrip(b"/") + b"/" for root in session.scalars(select(Root))}
    models = {model.digest: model for model in session.scalars(select(Model))}
    names = {digest: f"{model.name}@{model.version}" for digest, model in models.items()}
    templates = {digest: _template(model.labels) for digest, model in models.items()}
    for query in found_queries(session, filters, Sort.FOUND, columns):
        # Of the connection: the session looks at each row for what it may have to map.
        rows = session.connection().execute(query.execution_options(yield_per=ROWS_AT_ONCE))
        # SQLite works in this process, and gains nothing by it.
        for some in rows.partitions() if dialect == "sqlite" else _one_ahead(rows.partitions()):
            block: Block = dict(zip(_NAMES, map(list, zip(*some, strict=True)), strict=True))
            block["path"] = [roots[root] + path for root, path in zip(block.pop("root_id"), block["path"], strict=True)]
            block["run"], digests = block.pop("run_id"), block["model_digest"]
            block["model"] = [names[digest] for digest in digests]
            block["probabilities"] = [
                None if shares is None else templates[digest] % tuple(shares.strip("[]").replace(" ", "").split(","))
                for digest, shares in zip(digests, block["probabilities"], strict=True)
            ]
            block["display_note"] = [note or None for note in block["display_note"]]
            for moments in ("read_at", "settled_at"):
                block[moments] = [moment and _iso(moment) for moment in block[moments]]
            yield block


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
