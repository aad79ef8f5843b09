"""A machine at fault ends each process or raises: its run is paused, and finished when the machine is well."""

from __future__ import annotations

import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from schemas.errors import EXIT_UNAVAILABLE
from tests.chaos.accounting import ask, assert_nothing_lost
from tests.chaos.films import draw_films
from tests.chaos.scale import FULL, SEED, times, ways
from tests.chaos.serving import said, start_logged, workers
from tests.chaos.table import record
from tests.program import Program

BLAMED = "SELECT count(*) FROM work_items WHERE state IN ('rejected', 'dead') OR reason IS NOT NULL"
PACE = {"WETREAD_BATCH_SIZE": "16", "WETREAD_LEASE_SECONDS": "3", "WETREAD_SWEEP_SECONDS": "1"}
FAULTS = {
    "kill": "every film of a new archive ends the process that decodes it",
    "raise": "the engine raises, whatever it is to read",
}


# Thirty processes that die take their time, tests/integration/test_who_is_to_blame.py has the rows without them.
@pytest.mark.parametrize("fault", FAULTS if FULL else ["raise"])
@pytest.mark.parametrize("way", ways("embedded"))
@pytest.mark.timeout(900)
def test_a_machine_at_fault_pauses_the_run_and_no_film_is_dead_of_it(
    request: pytest.FixtureRequest, tmp_path: Path, way: str, fault: str
) -> None:
    began = time.monotonic()
    program: Program = request.getfixturevalue(way)
    program.environment |= PACE
    archive, own = tmp_path / "archive", ["--workers", 2] if way == "embedded" else []
    draw_films(archive, times(128, 48), seed=SEED)
    point = "decode" if fault == "kill" else "network"
    program.environment["WETREAD_FAILPOINT"] = f"{point}:{fault}"
    with workers(program, 1, concurrency=2) if way == "served" else nullcontext():
        code = start_logged(program, "screen", archive, *own).wait(timeout=400)
    took = time.monotonic() - began
    assert code == EXIT_UNAVAILABLE, said(program)
    assert "o film is blamed" in said(program)
    assert ask(program, "SELECT id, state, done, dead FROM runs") == [(1, "paused", 0, 0)]
    assert ask(program, BLAMED) == [(0,)]
    del program.environment["WETREAD_FAILPOINT"]
    with workers(program, 1, concurrency=2) if way == "served" else nullcontext():
        ended = program.json("screen", archive, *own)
    assert (ended["run"], ended["state"], ended["dead"]) == (1, "finished", 0)
    accounts = assert_nothing_lost(program, archive)
    record(
        "17", way, FAULTS[fault],
        f"exit 4 after {took:.0f} s and {accounts.kills} deaths of processes, run paused, none dead; the same command "
        f"ended it when the machine was well: {accounts.done} done once each",
        time.monotonic() - began,
    )  # fmt: skip
