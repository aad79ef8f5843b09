"""Fills a database with any number of readings by plain SQL, to measure queries on it.

What it holds: one model's readings of one archive; the first 80% by run 1, 10% by run 2, the rest by nights of 5,000;
2% rejected for five reasons, in a hundred thousand one dead, one film in a hundred with a DICOM header, 20 films
a study.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text

from schemas.table_base import Base
from schemas.tables import Model, Root, Run, StoredDecision
from wetread.clock import utc_now
from wetread.store.core.database import Database

MODEL = "a" * 64
DECISION = "d" * 64
ROWS_AT_ONCE = 1_000_000
NIGHT = 5_000

TABLES = ("images", "predictions", "film_headers", "work_items")

SQLITE = {
    "series": "WITH RECURSIVE n(i) AS (VALUES({first}) UNION ALL SELECT i + 1 FROM n WHERE i < {last})",
    "from": "n",
    "path": "CAST(printf('%s/%d/%03d/%08d.png', CASE i % 3 WHEN 0 THEN 'chest' WHEN 1 THEN 'ward' ELSE 'ct' END,"
    " 2000 + i / 500000, (i / 1000) % 500, i) AS BLOB)",
    "sha": "hexed(i)",
    "hashed": "hashed(path)",
    "at": "strftime('%Y-%m-%d %H:%M:%S.000000', 1700000000 + i / 50, 'unixepoch')",
    "json": "",
    "false": "0",
    "true": "1",
}
POSTGRESQL = {
    "series": "",
    "from": "generate_series({first}::bigint, {last}::bigint) AS n(i)",
    "path": "convert_to(format('%s/%s/%s/%s.png', (ARRAY['chest', 'ward', 'ct'])[i % 3 + 1], 2000 + i / 500000,"
    " lpad(((i / 1000) % 500)::text, 3, '0'), lpad(i::text, 8, '0')), 'UTF8')",
    "sha": "encode(sha256(convert_to(i::text, 'UTF8')), 'hex')",
    "hashed": "sha256(path)",
    "at": "to_timestamp(1700000000 + i / 50)",
    "json": "::json",
    "false": "false",
    "true": "true",
}

STATE = "CASE WHEN i % 100000 = 7 THEN 'dead' WHEN i % 50 = 0 THEN 'rejected' ELSE 'done' END"
REASON = (
    "CASE WHEN i % 100000 = 7 THEN 'crashed' WHEN i % 50 <> 0 THEN NULL WHEN i % 5000 = 0 THEN 'vanished'"
    " WHEN i % 250 = 0 THEN 'truncated' WHEN i % 200 = 0 THEN 'undecodable' ELSE 'not_a_film' END"
)
LABEL = "CASE WHEN i % 10 = 3 THEN 'covid' WHEN i % 10 < 4 THEN 'pneumonia' ELSE 'normal' END"
SHARE = "(0.35 + 0.65 * ((i * 7919) % 1000003) / 1000003.0)"

PROBABILITIES = " || ', ' || ".join(
    f"CAST(CAST(CASE WHEN {LABEL} = '{label}' THEN {SHARE} ELSE (1.0 - {SHARE}) / 2 END AS DOUBLE PRECISION) AS TEXT)"
    for label in ("covid", "normal", "pneumonia")
)

FILL = {
    "images": "{series} INSERT INTO images (id, root_id, path, path_hash, size, mtime_ns)"
    " SELECT i, 1, path, {hashed}, 100000 + i % 1000, 1700000000000000000 FROM"
    " (SELECT i, {path} AS path FROM {from}) AS p",
    "predictions": "{series} INSERT INTO predictions (id, sha256, model_digest, decision_digest, engine, run_id,"
    " logits, gate_score, label, probability, probabilities, decision, read_at)"
    " SELECT i, {sha}, '{model}', '{decision}', 'numpy', {run}, '[1.2345678, -0.1234567, 0.5]'{json},"
    " ((i * 104729) % 1000003) / 1000003.0, "
    + LABEL
    + ","
    + SHARE
    + ", ('['"
    + f" || {PROBABILITIES} || ']')"
    + "{json}, CASE WHEN "
    + SHARE
    + " < 0.5 THEN 'uncertain' ELSE "
    + LABEL
    + " END, {at}"
    " FROM {from} WHERE " + STATE + " = 'done'",
    "film_headers": "{series} INSERT INTO film_headers (id, sha256, study_uid, series_uid, view, modality)"
    " SELECT i, {sha}, '1.2.840.' || (i / 2000), '1.2.840.' || (i / 2000) || '.' || (i % 200 / 100), 'PA', 'DX'"
    " FROM {from} WHERE i % 100 = 1",
    "work_items": "{series} INSERT INTO work_items (run_id, image_id, batch_id, model_digest, state, reason, attempts,"
    " sha256, size, mtime_ns, prediction_id, header_id, current, worker, settled_at)"
    " SELECT {run}, i, i / 64, '{model}', " + STATE + ", " + REASON + ", 0, {sha}, 100000, 1700000000000000000,"
    " CASE WHEN " + STATE + " = 'done' THEN i END, CASE WHEN i % 100 = 1 THEN i END, {true}, 'reader:17:1', {at}"
    " FROM {from}",
}


def fill(database: Database, images: int) -> None:
    """Write `images` images and their readings into an empty database at this program's schema."""
    own = SQLITE if database.dialect == "sqlite" else POSTGRESQL
    indexes = [
        index
        for name in TABLES
        for index in Base.metadata.tables[name].indexes
        if index.name != "ix_images_path" or database.dialect == "postgresql"
    ]
    _few(database, images)
    with database.connecting() as connection:
        for index in indexes:
            index.drop(connection)
    with _driver(database) as driver:
        for table in TABLES:
            for first in range(1, images + 1, ROWS_AT_ONCE):
                last = min(images, first + ROWS_AT_ONCE - 1)
                driver.execute(_written(FILL[table], own, first, last, _run_of(images)))
                driver.commit()
    for index in indexes:
        with database.connecting() as connection:
            index.create(connection)
    with database.connecting() as connection:
        for statement in COUNTS:
            connection.execute(text(statement))
        connection.execute(text("ANALYZE"))


@contextmanager
def _driver(database: Database) -> Iterator[Any]:
    """Give the driver's connection; SQLite's does not wait for the disk, nor look whether what is named is there."""
    if database.dialect == "sqlite":
        database.dispose()  # who takes the journal away has to be alone
        driver = sqlite3.connect(database.url.removeprefix("sqlite:///"))
        driver.create_function("hexed", 1, lambda i: hashlib.sha256(str(i).encode()).hexdigest())
        driver.create_function("hashed", 1, lambda path: hashlib.sha256(path).digest())
        for pragma in ("foreign_keys = OFF", "synchronous = OFF", "cache_size = -2000000", "journal_mode = OFF"):
            driver.execute(f"PRAGMA {pragma}")
        yield driver
        driver.execute("PRAGMA journal_mode = WAL")
        driver.close()
        return
    with database.connecting() as connection:
        yield connection.connection.driver_connection


def _written(statement: str, own: dict[str, str], first: int, last: int, run: str) -> str:
    ends = {name: value.format(first=first, last=last) for name, value in own.items()}
    for name, value in (ends | {"run": run, "model": MODEL, "decision": DECISION}).items():
        statement = statement.replace("{" + name + "}", value)
    return statement


def _run_of(images: int) -> str:
    """Return the SQL that gives image i its run."""
    whole, part = images * 8 // 10, images * 9 // 10
    return f"(CASE WHEN i <= {whole} THEN 1 WHEN i <= {part} THEN 2 ELSE 3 + (i - {part} - 1) / {NIGHT} END)"


def _few(database: Database, images: int) -> None:
    """Write the rows that are few."""
    nights = -(-(images - images * 9 // 10) // NIGHT)
    labels = ["covid", "normal", "pneumonia"]
    with database.writing() as session:
        session.add(Root(id=1, path=b"/archive", created_at=utc_now()))
        session.add(StoredDecision(digest=DECISION, model_digest=MODEL, temperature=1.5, thresholds={"covid": 0.5}))
        session.flush()
        session.add(
            Model(
                digest=MODEL, name="cnn", version=1, directory="cnn/1", labels=labels, decision_digest=DECISION,
                registered_at=utc_now(),
            )
        )  # fmt: skip
        session.flush()
        for number in range(1, 3 + nights):
            session.add(
                Run(
                    id=number, state="finished", model_digest=MODEL, engine="numpy", root_ids=[1], force=False,
                    created_at=utc_now(), walked_at=utc_now(), ended_at=utc_now(),
                )
            )  # fmt: skip


COUNTS = (
    "INSERT INTO run_tallies (run_id, kind, name, count) SELECT run_id, state, reason, count(*) FROM work_items"
    " WHERE reason IS NOT NULL GROUP BY run_id, state, reason",
    "INSERT INTO run_tallies (run_id, kind, name, count) SELECT run_id, 'label', label, count(*) FROM predictions"
    " GROUP BY run_id, label",
    "INSERT INTO run_tallies (run_id, kind, name, count) SELECT run_id, 'uncertain', label, count(*) FROM predictions"
    " WHERE decision = 'uncertain' GROUP BY run_id, label",
    *(
        f"UPDATE runs SET {state} = coalesce((SELECT sum(count) FROM run_tallies t WHERE t.run_id = runs.id AND"
        f" t.kind = '{kind}'), 0), found = found + coalesce((SELECT sum(count) FROM run_tallies t"
        f" WHERE t.run_id = runs.id AND t.kind = '{kind}'), 0)"
        for state, kind in (("done", "label"), ("rejected", "rejected"), ("dead", "dead"))
    ),
)
