"""A worker process killed at each point of a batch in turn: every image is read once, and has one row."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.chaos.accounting import assert_nothing_lost
from tests.chaos.films import draw_films
from tests.chaos.scale import FULL, SEED, times
from tests.chaos.serving import finished, workers
from tests.chaos.table import record
from tests.program import Program, eventually
from worker import failpoints

ELSEWHERE = ("before_acknowledge", "received_", "delivery_")
POINTS = [point for point in failpoints.POINTS if not point.startswith(ELSEWHERE)]
"""Those that both ways have: without a broker nothing is acknowledged, and what is received or sent is no batch."""

KILLS = times(full=5, quick=1)
"""Kills at each point."""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """More batches than there are kills at one point, so that each finds one to kill."""
    draw_films(tmp_path / "archive", max(640, KILLS * 200), seed=SEED)
    return tmp_path / "archive"


def arm(program: Program, counts: Path, points: list[str]) -> None:
    """Have the program's worker processes killed at `points`."""
    counts.mkdir(exist_ok=True)
    program.environment["WETREAD_FAILPOINT"] = ",".join(f"{point}:kill:{KILLS}" for point in points)
    program.environment["WETREAD_FAILPOINT_COUNTS"] = str(counts)
    program.environment["WETREAD_ATTEMPTS"] = "99"  # these kills may all meet one film, tried alone


def fired(counts: Path) -> list[str]:
    """Return the points at which there was a kill, one entry a kill."""
    return sorted(path.name.partition(".")[0] for path in counts.iterdir())


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("points", [[point] for point in POINTS] if FULL else [POINTS], ids="-".join)
def test_embedded_a_kill_at_each_point_costs_no_image_and_makes_no_second_row(
    embedded: Program, archive: Path, tmp_path: Path, points: list[str]
) -> None:
    began = time.monotonic()
    arm(embedded, tmp_path / "counts", points)
    account = embedded.json("screen", archive, "--workers", 2)
    assert account["state"] == "finished"
    assert fired(tmp_path / "counts") == sorted(points * KILLS)
    write_down("embedded", points, embedded, archive, began)


@pytest.mark.timeout(1800)
def test_served_a_kill_at_each_point_costs_no_image_and_makes_no_second_row(
    served: Program, archive: Path, tmp_path: Path
) -> None:
    began = time.monotonic()
    points = [*POINTS, "before_acknowledge"]
    arm(served, tmp_path / "counts", points)
    with workers(served, 1, concurrency=2):
        served.json("submit", archive)
        eventually(lambda: finished(served), seconds=600, what="the run's end")
    assert fired(tmp_path / "counts") == sorted(points * KILLS)
    write_down("served", points, served, archive, began)


def write_down(way: str, points: list[str], program: Program, archive: Path, began: float) -> None:
    accounts = assert_nothing_lost(program, archive)
    where = ", ".join(f"`{point}`" for point in points)
    gave = f"{accounts.done} done, one row each"
    record("6", way, f"kill -9 at {where}, {KILLS} times each", gave, time.monotonic() - began)
