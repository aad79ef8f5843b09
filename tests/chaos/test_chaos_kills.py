"""kill -9 of whole workers and of single worker processes, busy and idle: all is read, and no film is blamed."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.chaos.accounting import assert_nothing_lost
from tests.chaos.films import draw_films
from tests.chaos.processes import children, has_tables, holders, kill_one_and_wait, sleeps
from tests.chaos.scale import FILMS, FULL, SEED, moments, times
from tests.chaos.serving import finished, said, settled, start_logged, workers
from tests.chaos.table import record
from tests.program import Program, eventually, kill_group

pytestmark = pytest.mark.timeout(3600)

WHOLE = times(full=20, quick=1)
BUSY = times(full=50, quick=2)
IDLE = times(full=20, quick=1)
THEN = times(full=20, quick=2)
"""Batches that are read after the kills of idle processes."""

STRENGTH = 2

BACK_SECONDS = 10.0 if FULL else 60.0
"""Seconds until a pool is at strength again; the quick form runs on machines that do much else besides."""


def counts_at(source: random.Random, kills: int, films: int = FILMS) -> list[int]:
    """Return how many images are to be settled before each kill: at random, and early enough to come in the run."""
    return sorted(source.sample(range(films * 3 // 4), kills))


@pytest.mark.skipif(not FULL, reason="tests/acceptance/test_screen_interrupted.py does it once: make chaos")
def test_embedded_screens_killed_whole_and_run_again_lose_nothing(embedded: Program, drawn: Path) -> None:
    began = time.monotonic()
    for count in counts_at(moments("whole screens"), WHOLE):
        screen = start_logged(embedded, "screen", drawn, "--workers", STRENGTH)
        eventually(
            lambda count=count: has_tables(embedded) and settled(embedded) >= count, what="some images", seconds=600
        )
        kill_group(screen)
    account = embedded.json("screen", drawn, "--workers", STRENGTH)
    assert account["state"] == "finished"
    accounts = assert_nothing_lost(embedded, drawn)
    assert accounts.runs == 1, "the same command continues its run"
    gave = f"{accounts.done} done, none dead"
    record("1", "embedded", f"kill -9 of the whole `screen`, {WHOLE} times", gave, time.monotonic() - began)


def test_served_workers_killed_whole_lose_nothing(served: Program, drawn: Path) -> None:
    began = time.monotonic()
    served.json("submit", drawn)
    with workers(served, 1, concurrency=STRENGTH) as programs:
        for count in counts_at(moments("whole workers"), WHOLE):
            eventually(lambda count=count: settled(served) >= count, what="some images", seconds=600)
            kill_group(programs[0])
            programs[0] = start_logged(served, "worker", "--concurrency", STRENGTH)
        eventually(lambda: finished(served), seconds=1200, what="the run's end")
    gave = f"{assert_nothing_lost(served, drawn).done} done, none dead"
    record("1", "served", f"kill -9 of the whole `worker`, {WHOLE} times", gave, time.monotonic() - began)


def test_embedded_busy_processes_killed_are_replaced_and_no_film_is_blamed(embedded: Program, drawn: Path) -> None:
    began, source = time.monotonic(), moments("busy children")
    screen = start_logged(embedded, "screen", drawn, "--workers", STRENGTH)
    eventually(lambda: has_tables(embedded) and settled(embedded) > 0, what="a first image")
    seconds = kill_busy_ones(embedded, screen, source)
    assert screen.wait(1200) == 0
    accounts = assert_nothing_lost(embedded, drawn)
    gave = f"{accounts.done} done, none dead; at strength again within {max(seconds):.1f} s"
    record("1", "embedded", f"kill -9 of busy processes, {len(seconds)} times", gave, time.monotonic() - began)


def test_served_busy_processes_killed_are_replaced_and_no_film_is_blamed(served: Program, drawn: Path) -> None:
    began, source = time.monotonic(), moments("busy children")
    served.json("submit", drawn)
    with workers(served, 1, concurrency=STRENGTH) as (worker,):
        eventually(lambda: settled(served) > 0, what="a first image")
        seconds = kill_busy_ones(served, worker, source)
        eventually(lambda: finished(served), seconds=1200, what="the run's end")
        assert worker.poll() is None
    gave = f"{assert_nothing_lost(served, drawn).done} done, none dead; at strength again within {max(seconds):.1f} s"
    record("1", "served", f"kill -9 of busy processes, {len(seconds)} times", gave, time.monotonic() - began)


def kill_busy_ones(program: Program, process: subprocess.Popen[str], source: random.Random) -> list[float]:
    """kill -9 of processes that hold a batch, up to BUSY times; return the seconds until each was replaced.

    A few images are read between two kills, a random number; where the films end first, so do the kills.
    """
    seconds: list[float] = []
    while len(seconds) < BUSY and not finished(program):
        count = settled(program) + source.randrange(max(1, FILMS // 4 // BUSY))
        eventually(lambda count=count: settled(program) >= count or finished(program), seconds=600, what="some images")
        victims: list[psutil.Process] = []

        def busy(victims: list[psutil.Process] = victims) -> bool:
            assert process.poll() is None or finished(program)
            held = holders(program)
            victims[:] = [child for child in children(process) if child.pid in held]
            return bool(victims) or finished(program)

        eventually(busy, what="a busy process")
        if victims:
            seconds.append(kill_one_and_wait(process, source.choice(victims), STRENGTH, BACK_SECONDS))
    assert seconds, "the films were read before the first kill"
    return seconds


def test_embedded_idle_processes_killed_are_replaced_and_work_goes_on(embedded: Program, tmp_path: Path) -> None:
    """One process stands still with the only batch, so that the others have none."""
    began, source = time.monotonic(), moments("idle children")
    archive = tmp_path / "archive"
    draw_films(archive / "first", 16, seed=SEED)  # found together, so that they are one batch
    (tmp_path / "counts").mkdir()
    stop = {"WETREAD_FAILPOINT": "claimed:stop:1", "WETREAD_FAILPOINT_COUNTS": str(tmp_path / "counts")}
    own = Program(embedded.home, embedded.environment | stop | {"WETREAD_LEASE_SECONDS": "600"})
    screen = start_logged(own, "screen", archive, "--workers", 1 + STRENGTH)
    eventually(lambda: has_tables(own) and holders(own), what="a process with the batch")
    eventually(lambda: len(children(screen)) == 1 + STRENGTH, what="the pool's strength")
    (holding,) = holders(own)
    slowest = 0.0
    for _ in range(IDLE):
        waiting: list[psutil.Process] = []
        while not waiting:
            assert screen.poll() is None
            waiting = idle(screen, holding)
        victim = source.choice(waiting)
        slowest = max(slowest, kill_one_and_wait(screen, victim, 1 + STRENGTH, BACK_SECONDS))
    next(child for child in children(screen) if child.pid == holding).resume()
    assert screen.wait(300) == 0
    draw_films(archive / "then", THEN * 64, seed=SEED + 1)
    assert embedded.json("screen", archive)["done"] == THEN * 64
    accounts = assert_nothing_lost(embedded, archive)
    assert accounts.kills == 0
    gave = f"{accounts.done} done; at strength again within {slowest:.1f} s"
    record(
        "1", "embedded", f"kill -9 of idle processes, {IDLE} times, then {THEN} batches", gave, time.monotonic() - began
    )


def idle(screen: subprocess.Popen[str], but: int) -> list[psutil.Process]:
    """Return processes that look for batches: they go to sleep again and again, as one that still starts does not.

    Three in a row that die before they are ready are a fault of the machine, for which a screening gives up.
    """
    before = {child: sleeps(child) for child in children(screen) if child.pid != but}
    time.sleep(1.0)  # the time over which the looks are counted
    return [child for child, slept in before.items() if sleeps(child) >= slept + 5]


def test_served_idle_processes_killed_are_replaced_and_work_goes_on(served: Program, tmp_path: Path) -> None:
    began, source = time.monotonic(), moments("idle children")
    draw_films(tmp_path / "archive", THEN * 64, seed=SEED)
    served.environment["WETREAD_LEASE_SECONDS"] = "60"  # none runs out on a slow machine
    with workers(served, 1, concurrency=STRENGTH) as (worker,):
        # Before that, Celery takes a process that died for one that cannot start, and ends.
        eventually(lambda: "the worker is ready" in said(served), what="a worker that is up")
        eventually(lambda: len(children(worker)) == STRENGTH, what="the pool's strength")
        slowest = max(
            kill_one_and_wait(worker, source.choice(children(worker)), STRENGTH, BACK_SECONDS) for _ in range(IDLE)
        )
        served.json("submit", tmp_path / "archive")
        eventually(lambda: finished(served), seconds=300, what="the run's end")
        assert worker.poll() is None
    accounts = assert_nothing_lost(served, tmp_path / "archive")
    assert accounts.kills == 0
    gave = f"{accounts.done} done; at strength again within {slowest:.1f} s"
    record(
        "1", "served", f"kill -9 of idle processes, {IDLE} times, then {THEN} batches", gave, time.monotonic() - began
    )
