"""A file server that stops to answer in the middle of a run, and comes back: nobody is blamed, and everything ends."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.chaos.accounting import ask, assert_nothing_lost
from tests.chaos.file_server import FileServer, file_server
from tests.chaos.films import draw_films
from tests.chaos.scale import FILMS, FULL, SEED, ways
from tests.chaos.serving import said, settled, start_logged, workers
from tests.chaos.table import record
from tests.program import Program, eventually

BLAMED = "SELECT count(*) FROM work_items WHERE state IN ('rejected', 'dead') OR attempts > 0"
SILENT = 3
"""Seconds after which the server counts as silent here."""


@pytest.fixture
def served_files(tmp_path: Path) -> Iterator[FileServer]:
    source = tmp_path / "source"
    draw_films(source, FILMS if FULL else 200, seed=SEED)
    with file_server(source, tmp_path) as server:
        yield server


@pytest.mark.parametrize("way", ways("embedded"))
@pytest.mark.parametrize("what", ["read", "all"] if FULL else ["read"])
@pytest.mark.timeout(900)
def test_a_file_server_that_hangs_pauses_the_run_and_no_film_is_blamed(
    request: pytest.FixtureRequest, way: str, what: str, served_files: FileServer
) -> None:
    began = time.monotonic()
    program: Program = request.getfixturevalue(way)
    own = ["--workers", 2] if way == "embedded" else []
    program.environment |= {"WETREAD_IMAGE_SECONDS": str(SILENT), "WETREAD_BATCH_SIZE": "16"}
    with workers(program, 1, concurrency=2) if way == "served" else nullcontext():
        # Into a file: what hangs in the kernel would keep a pipe open when the command has ended.
        running = start_logged(program, "screen", served_files.archive, *own)
        eventually(lambda: running.poll() is not None or _settled(program) > 32, what="some batches")
        served_files.hang(what)
        hung = time.monotonic()
        if what == "all":  # the walk hangs in the command itself: it has said all, and the kernel keeps it until then
            eventually(lambda: "found that it does not" in said(program), what="what the command says at its end")
            took = time.monotonic() - hung
            served_files.answer()
            code = running.wait(timeout=90)
        else:
            code = running.wait(timeout=90)
            took = time.monotonic() - hung
        assert (code, "found that it does not" in said(program)) == (4, True), said(program)
        assert ask(program, "SELECT id, state FROM runs") == [(1, "paused")]
        assert ask(program, BLAMED) == [(0,)]
        served_files.answer()
        ended = program.json("screen", served_files.archive, *own)
    assert (ended["run"], ended["state"], ended["dead"]) == (1, "finished", 0)
    accounts = assert_nothing_lost(program, served_files.archive)
    assert accounts.kills == 0
    record(
        "16", way, f"a file server that answers no more to {'reads' if what == 'read' else 'anything'}, and comes back",
        f"exit 4 after {took:.0f} s (limit {SILENT} s a read), run paused, nobody blamed, no process died of it; the "
        f"same command ended it: {accounts.done} done once each",
        time.monotonic() - began,
    )  # fmt: skip


def _settled(program: Program) -> int:
    return settled(program) if _has_runs(program) else 0


def _has_runs(program: Program) -> bool:
    if program.environment.get("WETREAD_DATABASE_URL"):
        return True
    return os.path.exists(program.home / "results.db")
