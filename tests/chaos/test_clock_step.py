"""The machine's clock steps in the middle of a run: nobody who lives is taken for dead.

The clock itself belongs to all programs of this machine. What a step of it changes is changed for these alone: the time
of the boot in /proc/stat, from which psutil reckons when a process began, and the leases, which a step of the
database's clock brings to their end, or makes longer.
"""

from __future__ import annotations

import os
import re
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from tests.chaos.accounting import assert_nothing_lost
from tests.chaos.processes import children, go_on, stand_still
from tests.chaos.scale import moments, times
from tests.chaos.serving import finished, said, start_logged, workers
from tests.chaos.table import record
from tests.namespaces import in_namespaces
from tests.program import Program, eventually

pytestmark = pytest.mark.timeout(3600)

MOUNT = 'mount --bind "$1" /proc/stat && shift && exec "$@"'


class Clock:
    """What a program sees of the clock, and what a step changes of it."""

    def __init__(self, folder: Path, program: Program) -> None:
        self._stat = folder / "stat"
        self._stat.write_bytes(Path("/proc/stat").read_bytes())
        launcher = in_namespaces("--mount", "--", "sh", "-c", MOUNT, "sh", str(self._stat))
        self.program = replace(program, launcher=tuple(launcher))
        self.steps = 0

    def step(self, seconds: int) -> None:
        """Step forward, or back by less than 0."""
        said_before = self._stat.read_bytes()
        said_now = re.sub(rb"(?<=\nbtime )\d+", lambda found: b"%d" % (int(found[0]) + seconds), said_before)
        with self._stat.open("r+b") as file:  # the file that is mounted, at once
            os.pwrite(file.fileno(), said_now, 0)
        self._move_leases(-seconds)
        self.steps += 1

    def _move_leases(self, seconds: int) -> None:
        move = f"UPDATE batches SET lease_until = lease_until + {seconds} WHERE lease_until IS NOT NULL"  # noqa: S608 - a number of ours
        if url := self.program.environment.get("WETREAD_DATABASE_URL"):
            with psycopg.connect(url.replace("+psycopg", "")) as connection:
                connection.execute(move)  # type: ignore[call-overload]  # a text of ours
            return
        with closing(sqlite3.connect(self.program.home / "results.db", timeout=60.0)) as database, database:
            database.execute(move)


STEPS = (1, -1, 60, 3600, -3600)
FAULT = "a clock that steps {} times by a second, a minute, an hour, forward and back"


def assert_nobody_died(program: Program, archive: Path, way: str, clock: Clock, began: float) -> None:
    accounts = assert_nothing_lost(program, archive)
    assert (accounts.kills, accounts.runs) == (0, 1), "nobody died"
    assert "died" not in said(program)
    gave = f"{accounts.done} done once each, no death counted, none dead"
    record("13", way, FAULT.format(clock.steps), gave, time.monotonic() - began)


def test_embedded_a_command_that_begins_after_a_step_takes_nobody_for_dead(
    embedded: Program, tmp_path: Path, drawn: Path
) -> None:
    """It frees what the dead hold, while another one holds batches, and is stopped so that it does so for certain."""
    moment, began, clock = moments("clock embedded"), time.monotonic(), Clock(tmp_path, embedded)
    screens = [start_logged(clock.program, "screen", drawn, "--workers", 2)]
    for _ in range(times(6, 1)):
        stand_still(embedded, screens[0])
        clock.step(moment.choice(STEPS))
        screens.append(start_logged(clock.program, "screen", drawn, "--workers", 1))
        eventually(lambda: children(screens[-1]), what="processes of the other command")
        go_on(screens[0])
        for _ in range(times(20, 3)):
            clock.step(moment.choice(STEPS))
            time.sleep(moment.uniform(0.05, 0.3))
        if screens[0].poll() is not None:
            break
    assert [screen.wait(times(3000, 100)) for screen in screens] == [0] * len(screens), said(embedded)
    assert_nobody_died(embedded, drawn, "embedded", clock, began)


def test_served_a_sweep_after_a_step_takes_nobody_for_dead(served: Program, tmp_path: Path, drawn: Path) -> None:
    """Each worker frees what the dead hold every second."""
    moment, began, clock = moments("clock served"), time.monotonic(), Clock(tmp_path, served)
    with workers(clock.program, 2):
        served.json("submit", drawn)
        while clock.steps < times(200, 10) and not finished(served):
            clock.step(moment.choice(STEPS))
            time.sleep(moment.uniform(0.1, 0.6))
        eventually(lambda: finished(served), seconds=times(3000, 100), what="the run's end")
    assert_nobody_died(served, drawn, "served", clock, began)
