"""A database of the version before that holds one film under two roots: it becomes one, and accounts stay."""

from __future__ import annotations

import hashlib

import pytest
from alembic import command
from sqlalchemy import text

from tests.screened import DIGEST, RunKit
from wetread.store.core.database import Database
from wetread.store.core.migrating import alembic_config, ensure_schema
from wetread.store.images.places import known_roots
from wetread.store.results.finding import Filters, find_results

ROOTS = {1: b"/archive", 2: b"/archive/2024", 3: b"/archive/2024/03", 4: b"/archive2", 5: b"/other"}
IMAGES = {
    11: (1, b"2024/03/a.png", 1), 12: (1, b"2024/b.png", 1), 13: (1, b"c.png", 1),
    21: (2, b"03/a.png", 2), 22: (2, b"b.png", 1), 23: (2, b"only.png", 1),
    31: (3, b"a.png", 3),
    41: (4, b"a.png", 1), 51: (5, b"2024/b.png", 1),
}  # fmt: skip
"""{id: (root, path, its time of change when it was last walked)}; 11, 21 and 31 are one film, and so are 12 and 22."""

RUNS = {1: [1], 2: [2], 3: [3], 4: [4, 5], 5: [2], 6: [1]}
ITEMS = [
    (1, 11, "done", None, False), (1, 12, "done", None, True), (1, 13, "rejected", "undecodable", True),
    (2, 21, "done", None, True), (2, 22, "rejected", "permission", True), (2, 23, "done", None, True),
    (3, 31, "done", None, True),
    (4, 41, "done", None, True), (4, 51, "done", None, True),
    (5, 22, "pending", None, False), (6, 11, "done", None, True),
]  # fmt: skip
"""(run, image, state, reason, current). The latest reading of the film under three roots is of run 6."""

WRITTEN = (
    """INSERT INTO images (id, root_id, path, path_hash, size, mtime_ns) VALUES (:id, :root, :path, :hash, 7, :mtime)"""
)
ITEM = (
    'INSERT INTO work_items (run_id, image_id, batch_id, model_digest, state, reason, attempts, "current", settled_at)'
    " VALUES (:run, :image, :batch, :model, :state, :reason, 0, :current, :at)"
)


def of_the_version_before(database: Database) -> None:
    RunKit(database)
    with database.connecting() as connection:
        command.downgrade(alembic_config(connection), "0010")
    with database.connecting() as connection:
        connection.execute(text("DELETE FROM roots"))
        for key, path in ROOTS.items():
            connection.execute(
                text("INSERT INTO roots (id, path, created_at) VALUES (:id, :path, '2026-01-01')"),
                {"id": key, "path": path},
            )
        for image, (root, path, mtime) in IMAGES.items():
            hashed = hashlib.sha256(path).digest()
            given = {"id": image, "root": root, "path": path, "hash": hashed, "mtime": mtime}
            connection.execute(text(WRITTEN), given)
        for run, roots in RUNS.items():
            mine = [item for item in ITEMS if item[0] == run]
            counts = {state: sum(item[2] == state for item in mine) for state in ("pending", "done", "rejected")}
            connection.execute(
                text(
                    "INSERT INTO runs (id, state, model_digest, engine, root_ids, force, created_at, found, pending,"
                    " done, rejected, dead, cancelled, skipped) VALUES (:id, :is, :model, 'numpy', :roots, false,"
                    " '2026-01-01', :found, :pending, :done, :rejected, 0, 0, 2)"
                ),
                counts
                | {"id": run, "is": "running" if counts["pending"] else "finished", "model": DIGEST}
                | {"roots": str(roots), "found": len(mine) + 2},
            )
            connection.execute(
                text("INSERT INTO batches (id, run_id, pending, fence, kills) VALUES (:id, :id, :pending, 0, 0)"),
                {"id": run, "pending": counts["pending"]},
            )
            for _, image, state, reason, current in mine:
                connection.execute(
                    text(ITEM),
                    {"run": run, "image": image, "batch": run, "model": DIGEST, "state": state, "reason": reason}
                    | {"current": current, "at": None if state == "pending" else f"2026-01-0{run}"},
                )


def accounts(database: Database) -> list[tuple[object, ...]]:
    with database.connecting() as connection:
        query = text("SELECT id, found, pending, done, rejected, dead, cancelled, skipped FROM runs ORDER BY id")
        return [tuple(row) for row in connection.execute(query)]


def test_films_under_two_roots_become_one_and_every_account_stays(database: Database) -> None:
    of_the_version_before(database)
    before = accounts(database)
    ensure_schema(database)
    assert accounts(database) == before
    with database.reading() as session:
        places = {root.path: (root.place.home, root.place.inside) for root in known_roots(session)}
        current = {row.path: (row.run, row.state) for row in find_results(session, Filters())}
        of_runs = {
            run: sorted(row.path for row in find_results(session, Filters(run=run))) for run in (1, 2, 3, 4, 5, 6)
        }
        images = session.execute(text("SELECT id, root_id, path, path_hash, mtime_ns FROM images ORDER BY id")).all()
        pending = session.execute(text("SELECT run_id, image_id FROM work_items WHERE state = 'pending'")).all()
    assert places == {
        b"/archive": (1, b""), b"/archive/2024": (1, b"2024/"), b"/archive/2024/03": (1, b"2024/03/"),
        b"/archive2": (4, b""), b"/other": (5, b""),
    }  # fmt: skip
    assert current == {
        b"/archive/2024/03/a.png": (6, "done"),
        b"/archive/2024/b.png": (1, "done"),  # run 2 could not read it
        b"/archive/2024/only.png": (2, "done"), b"/archive/c.png": (1, "rejected"),
        b"/archive2/a.png": (4, "done"), b"/other/2024/b.png": (4, "done"),
    }  # fmt: skip
    assert [len(of_runs[run]) for run in (1, 2, 3, 4, 5, 6)] == [3, 3, 1, 2, 0, 1]
    assert [row.id for row in images] == [11, 12, 13, 23, 41, 51]
    assert all(row.path_hash == hashlib.sha256(row.path).digest() for row in images)
    assert next(row.mtime_ns for row in images if row.id == 11) == 1  # as run 6, the last that has it, found it
    assert [tuple(row) for row in pending] == [(5, 12)]


def test_the_size_and_time_of_the_image_are_those_that_the_last_run_found(database: Database) -> None:
    of_the_version_before(database)
    with database.connecting() as connection:
        connection.execute(text("DELETE FROM work_items WHERE run_id = 6"))
        connection.execute(text("DELETE FROM batches WHERE run_id = 6"))
        connection.execute(text("DELETE FROM runs WHERE id = 6"))
    ensure_schema(database)
    with database.reading() as session:
        assert session.execute(text("SELECT mtime_ns FROM images WHERE id = 11")).scalar_one() == 3
        read = {row.path: row.run for row in find_results(session, Filters())}
    assert read[b"/archive/2024/03/a.png"] == 3


@pytest.mark.parametrize("top", [b"/"])
def test_a_root_that_is_the_whole_disk_holds_all_others(database: Database, top: bytes) -> None:
    of_the_version_before(database)
    with database.connecting() as connection:
        connection.execute(
            text("INSERT INTO roots (id, path, created_at) VALUES (9, :path, '2026-01-01')"), {"path": top}
        )
    ensure_schema(database)
    with database.reading() as session:
        places = {root.path: root.place for root in known_roots(session)}
        names = {row.path for row in find_results(session, Filters())}
    assert (places[b"/archive"], places[b"/"]) == ((9, b"archive/"), (9, b""))
    assert b"/archive/2024/03/a.png" in names
