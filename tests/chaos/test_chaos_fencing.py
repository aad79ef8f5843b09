"""A worker that stood still past its lease and wakes, a batch delivered three times: nothing is written twice."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from schemas.messages import BatchMessage
from tests.chaos.accounting import ask, assert_nothing_lost
from tests.chaos.films import draw_films
from tests.chaos.processes import children
from tests.chaos.scale import FULL, SEED, times
from tests.chaos.serving import finished, said, start_logged, workers
from tests.chaos.table import record
from tests.program import Program, eventually
from wetread.queue import TASK_NAME, make_app
from wetread.settings import Settings
from wetread.store.core.limits import STANDSTILL_SECONDS

pytestmark = pytest.mark.timeout(1800)

FAULT = "a process stopped between its reading and its commit, woken when another had read its batch"

COMMANDS = times(full=3, quick=2)
"""The same one, at once."""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two batches: one for who will stand still."""
    draw_films(tmp_path / "archive", 128, seed=SEED)
    return tmp_path / "archive"


def stops_once(program: Program, counts: Path, point: str = "classified") -> Program:
    """Return the program with one process that stops itself, at first when it is about to write what it read."""
    counts.mkdir()
    # Long enough to stop a whole screen before it misses its process, which it would kill.
    program.environment["WETREAD_LEASE_SECONDS"] = "6"
    fault = {"WETREAD_FAILPOINT": f"{point}:stop:1", "WETREAD_FAILPOINT_COUNTS": str(counts)}
    return Program(program.home, program.environment | fault)


def stopped(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return those that stand still."""
    return [process for process in processes if process.status() == psutil.STATUS_STOPPED]


def written(program: Program) -> list[list[tuple[object, ...]]]:
    """Return all that workers write."""
    return [ask(program, f"SELECT * FROM {table} ORDER BY 1, 2") for table in ("runs", "work_items", "predictions")]  # noqa: S608 - names of our own


def test_embedded_a_screen_that_stood_still_past_its_lease_writes_nothing_when_it_wakes(
    embedded: Program, archive: Path, tmp_path: Path
) -> None:
    """As a terminal's Ctrl-Z does it, with the same command begun anew beside it."""
    began = time.monotonic()
    screen = start_logged(stops_once(embedded, tmp_path / "counts"), "screen", archive, "--workers", 1)
    eventually(lambda: stopped(children(screen)), what="a process that stands still")
    os.killpg(screen.pid, signal.SIGSTOP)
    assert embedded.json("screen", archive, "--workers", 1)["state"] == "finished"
    before = written(embedded)
    os.killpg(screen.pid, signal.SIGCONT)
    assert screen.wait(120) == 0
    # Either it tries its commit first, or the screen, awake again, ends it first for its lease.
    assert "lease lost" in said(embedded) or "a worker process died" in said(embedded)
    assert written(embedded) == before
    accounts = assert_nothing_lost(embedded, archive)
    record("7", "embedded", FAULT, f"{accounts.done} done; its commit changed nothing", time.monotonic() - began)


def test_served_a_process_that_stood_still_past_its_lease_writes_nothing_when_it_wakes(
    served: Program, archive: Path, tmp_path: Path
) -> None:
    began = time.monotonic()
    with (
        workers(stops_once(served, tmp_path / "counts"), 1) as (slow,),
        workers(served, 0) as others,
    ):
        served.json("submit", archive)
        eventually(lambda: stopped(children(slow)), what="a process that stands still")
        (asleep,) = stopped(children(slow))
        others.append(start_logged(served, "worker", "--concurrency", 1))
        eventually(lambda: finished(served), seconds=120, what="the run's end, without it")
        before = written(served)
        asleep.resume()
        eventually(lambda: "lease lost" in said(served), what="its commit")
        assert written(served) == before
    accounts = assert_nothing_lost(served, archive)
    record("7", "served", FAULT, f"{accounts.done} done; its commit changed nothing", time.monotonic() - began)


@pytest.mark.skipif(not FULL, reason="tests/integration/test_store_ordering.py does it in a second: make chaos")
def test_served_a_process_that_stood_still_in_its_commit_holds_its_batch_for_a_while_alone(
    served: Program, archive: Path, tmp_path: Path
) -> None:
    """It holds its batch's lock, and not the run's row, without which nobody could settle."""
    began = time.monotonic()
    with workers(stops_once(served, tmp_path / "counts", "before_commit"), 1) as (slow,), workers(served, 0) as others:
        served.json("submit", archive)
        eventually(lambda: stopped(children(slow)), what="a process that stands still")
        (asleep,) = stopped(children(slow))
        others.append(start_logged(served, "worker", "--concurrency", 1))
        eventually(lambda: finished(served), seconds=STANDSTILL_SECONDS + 90, what="the run's end, without it")
        before = written(served)
        asleep.resume()
        eventually(lambda: "idle-in-transaction timeout" in said(served), what="the end of its transaction")
        assert written(served) == before
    accounts = assert_nothing_lost(served, archive)
    fault = "a process stopped in its commit, woken when another had read its batch"
    record("7", "served", fault, f"{accounts.done} done; its commit changed nothing", time.monotonic() - began)


def test_embedded_commands_at_once_read_each_film_once(embedded: Program, drawn: Path) -> None:
    began = time.monotonic()
    screens = [start_logged(embedded, "screen", drawn, "--workers", 1) for _ in range(COMMANDS)]
    assert [screen.wait(1200) for screen in screens] == [0] * COMMANDS
    accounts = assert_nothing_lost(embedded, drawn)
    gave = f"{accounts.done} done, one row each, in {accounts.runs} run"
    record("7", "embedded", f"the same command {COMMANDS} times at once", gave, time.monotonic() - began)


def test_served_batches_delivered_three_times_are_read_once(served: Program, drawn: Path) -> None:
    """More than once before they are read, while they are, and when they have been."""
    began = time.monotonic()
    served.json("submit", drawn)
    deliver_all(served)
    with workers(served, 1, concurrency=2):
        deliver_all(served)
        eventually(lambda: finished(served), seconds=1200, what="the run's end")
        before = written(served)
        deliver_all(served)
        broker = make_app(settings_of(served))
        with broker.connection_for_read() as connection:
            eventually(
                lambda: connection.default_channel.client.llen("wetread") == 0, seconds=300, what="the queue's end"
            )
    assert written(served) == before
    accounts = assert_nothing_lost(served, drawn)
    batches = ask(served, "SELECT count(*) FROM batches")[0][0]
    gave = f"{accounts.done} done, one row each"
    record("7", "served", f"each of {batches} batches delivered three times and more", gave, time.monotonic() - began)


def settings_of(program: Program) -> Settings:
    return Settings.model_validate(
        {
            "database_url": program.environment["WETREAD_DATABASE_URL"],
            "broker_url": program.environment["WETREAD_BROKER_URL"],
        }
    )


def deliver_all(program: Program) -> None:
    """Send a message for each batch, beside those that were sent."""
    app = make_app(settings_of(program))
    for (batch,) in ask(program, "SELECT id FROM batches"):
        app.send_task(TASK_NAME, args=[BatchMessage(int(str(batch))).encode()], ignore_result=True)
