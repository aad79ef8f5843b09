"""Films that crash, hang or bloat the process that decodes them, each in a batch of 64: they alone are dead."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest
from pydicom.uid import JPEGLosslessSV1

from schemas.errors import EXIT_FAILURE_RATE
from tests.chaos.accounting import ask, assert_nothing_lost
from tests.chaos.films import draw_films
from tests.chaos.processes import Strength
from tests.chaos.scale import FULL, SEED
from tests.chaos.serving import finished, start_logged, workers
from tests.chaos.table import record
from tests.program import Program, eventually
from tests.unit.imaging.dicoms import dicom
from wetread.imaging.decode import decode

BATCH = 64
DEEDS = {"crashed": "abort", "out_of_time": "hang", "out_of_memory": "eat"}
FAULTS = {
    "crashed": "crashes its process (a DICOM)",
    "out_of_time": "hangs",
    "out_of_memory": "eats memory",
}
LIMITS = {
    "out_of_time": {"WETREAD_IMAGE_SECONDS": "3"},
    "out_of_memory": {"WETREAD_MEMORY_BYTES": str(400 * 1024**2)},
}


@pytest.fixture(params=[tuple(DEEDS)], ids="-".join)
def poisoned(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Path, dict[Path, str]]:
    """An archive of batches with one bad film each, and what each of these is to be called."""
    archive = tmp_path / "archive"
    reasons = {}
    for number, reason in enumerate(request.param):
        drawn = draw_films(archive / reason, BATCH, seed=SEED + number)
        reasons[Path(reason) / drawn[40]] = reason
    crashing = archive / next(path for path, reason in reasons.items() if reason == "crashed")
    # Lossless JPEG goes through libjpeg-turbo, which is C in the worker's own process.
    crashing.write_bytes(dicom(decode(crashing.read_bytes()).pixels, JPEGLosslessSV1))
    return archive, reasons


def arm(program: Program, archive: Path, reasons: dict[Path, str]) -> None:
    """Have the decoder misbehave on the bad films, every time that it meets one."""
    hashes = {hashlib.sha256((archive / path).read_bytes()).hexdigest(): reason for path, reason in reasons.items()}
    assert len(hashes) == len(reasons)
    for reason in reasons.values():
        program.environment |= LIMITS.get(reason, {})
    program.environment["WETREAD_FAILPOINT"] = ",".join(f"decode={h}:{DEEDS[reason]}" for h, reason in hashes.items())


def fault(reasons: dict[Path, str]) -> str:
    """Return what the bad films do, in a few words."""
    deeds = [FAULTS[reason] for reason in reasons.values()]
    return f"a film that {', one that '.join(deeds)}{', each' if len(deeds) > 1 else ','} in a batch of 64"


def check(program: Program, archive: Path, reasons: dict[Path, str]) -> str:
    """See that the bad films alone are dead, after three tries alone, each by its reason; say so in a few words."""
    accounts = assert_nothing_lost(program, archive, dead=reasons)
    query = (
        "SELECT i.path, w.reason, w.attempts FROM work_items w JOIN images i ON i.id = w.image_id"
        " WHERE w.state = 'dead'"
    )
    dead = {Path(bytes(path).decode()): (reason, attempts) for path, reason, attempts in ask(program, query)}
    assert dead == {path: (reason, 3) for path, reason in reasons.items()}
    assert accounts.kills >= 4 * len(reasons), "once with its neighbours, and three times alone"
    return f"{accounts.done} done; {accounts.dead} dead after 3 tries alone: `{'`, `'.join(reasons.values())}`"


def test_embedded_films_that_end_their_process_are_dead_by_their_reason_and_their_neighbours_done(
    embedded: Program, poisoned: tuple[Path, dict[Path, str]]
) -> None:
    began = time.monotonic()
    arm(embedded, *poisoned)
    with Strength(start_logged(embedded, "screen", poisoned[0], "--workers", 2), 2) as strength:
        assert strength.process.wait(250) == EXIT_FAILURE_RATE, "a dead film is to be seen"
    gave = f"{check(embedded, *poisoned)}; a process replaced within {strength.longest:.1f} s"
    record("8", "embedded", fault(poisoned[1]), gave, time.monotonic() - began)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("poisoned", [tuple(DEEDS) if FULL else ("crashed",)], ids="-".join, indirect=True)
def test_served_films_that_end_their_process_are_dead_by_their_reason_and_their_neighbours_done(
    served: Program, poisoned: tuple[Path, dict[Path, str]]
) -> None:
    began = time.monotonic()
    arm(served, *poisoned)
    with workers(served, 1, concurrency=2) as (worker,), Strength(worker, 2) as strength:
        served.json("submit", poisoned[0])
        eventually(lambda: finished(served), seconds=600, what="the run's end")
    gave = f"{check(served, *poisoned)}; a process replaced within {strength.longest:.1f} s"
    record("8", "served", fault(poisoned[1]), gave, time.monotonic() - began)
