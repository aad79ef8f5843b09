"""The database against the files: one settled row an image and model, no more, none missing."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.program import Program


@dataclass(frozen=True)
class Accounts:
    """What a database holds of an archive. runs: how many; attempts: the most of any item; kills: of all batches."""

    files: int
    done: int
    dead: int
    predictions: int
    runs: int
    kills: int


def ask(program: Program, query: str) -> list[tuple[object, ...]]:
    """Return the rows of `query`, from whichever database the program has."""
    if (url := program.environment.get("WETREAD_DATABASE_URL", "")).startswith("postgresql"):
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            return connection.execute(query).fetchall()  # type: ignore[call-overload,no-any-return]  # a literal in each caller
    connection = sqlite3.connect(f"file:{program.home / 'results.db'}?mode=ro", uri=True, timeout=60.0)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def assert_nothing_lost(program: Program, archive: Path, *, dead: Collection[Path] = ()) -> Accounts:
    """Compare the database with the films of `archive`; return its accounts.

    dead: films that must be dead; all others must be done, with exactly one current row and one prediction each.
    """
    files = {str(path.relative_to(archive)).encode() for path in archive.rglob("*") if path.is_file()}
    current = ask(
        program,
        "SELECT i.path, w.state, w.model_digest, p.sha256, w.sha256 FROM images i"
        " JOIN work_items w ON w.image_id = i.id AND w.current LEFT JOIN predictions p ON p.id = w.prediction_id",
    )
    states = {bytes(path): str(state) for path, state, *_ in current}  # type: ignore[call-overload]  # bytes, or a memoryview
    assert len(current) == len(states), "an image has more than one current row"
    assert states.keys() == files, (
        f"{len(files - states.keys())} files have no row, {len(states.keys() - files)} rows no file"
    )
    expected_dead = {str(path).encode() for path in dead}
    assert {path for path, state in states.items() if state == "dead"} == expected_dead
    assert {path for path, state in states.items() if state != "done"} == expected_dead
    assert all(read == file for _, state, _, read, file in current if state == "done")
    predictions = ask(program, "SELECT count(*), count(DISTINCT sha256 || model_digest) FROM predictions")
    done = len(files) - len(expected_dead)
    assert predictions == [(done, done)], f"{done} films of their own bytes are done, predictions: {predictions}"
    _assert_runs_add_up(program)
    (kills,) = ask(program, "SELECT coalesce(sum(kills), 0) FROM batches")[0]
    (runs,) = ask(program, "SELECT count(*) FROM runs")[0]
    return Accounts(len(files), done, len(expected_dead), done, int(str(runs)), int(str(kills)))


def assert_no_batch_half_written(program: Program) -> None:
    """Compare batches with their items, in the middle of a run; one whose worker lost it goes on image by image."""
    half = ask(
        program,
        "SELECT b.id FROM batches b JOIN work_items w ON w.batch_id = b.id GROUP BY b.id, b.pending, b.kills"
        " HAVING b.pending <> count(*) FILTER (WHERE w.state = 'pending')"
        " OR (b.kills = 0 AND count(*) FILTER (WHERE w.state = 'done') NOT IN (0, count(*)))",
    )
    assert half == [], f"a batch is settled in one transaction, found half-written ones: {half}"
    if not program.environment.get("WETREAD_DATABASE_URL"):
        assert ask(program, "PRAGMA integrity_check") == [("ok",)]


def _assert_runs_add_up(program: Program) -> None:
    """Every counter of every run equals its rows, nothing is pending or held, and the file itself is sound."""
    assert ask(program, "SELECT count(*) FROM work_items WHERE state = 'pending'") == [(0,)]
    assert ask(program, "SELECT count(*) FROM batches WHERE pending <> 0 OR owner IS NOT NULL") == [(0,)]
    wrong = ask(
        program,
        "SELECT r.id, r.done, r.rejected, r.dead FROM runs r WHERE r.pending <> 0"
        " OR r.done <> (SELECT count(*) FROM work_items w WHERE w.run_id = r.id AND w.state = 'done')"
        " OR r.rejected <> (SELECT count(*) FROM work_items w WHERE w.run_id = r.id AND w.state = 'rejected')"
        " OR r.dead <> (SELECT count(*) FROM work_items w WHERE w.run_id = r.id AND w.state = 'dead')",
    )
    assert wrong == [], f"accounts that do not equal their rows: {wrong}"
    if not program.environment.get("WETREAD_DATABASE_URL"):
        assert ask(program, "PRAGMA integrity_check") == [("ok",)]
        assert ask(program, "PRAGMA foreign_key_check") == []
