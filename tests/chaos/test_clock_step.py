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

from tests.chaos.accounting import ask, assert_nothing_lost
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


@pytest.mark.parametrize("way", ["embedded", "served"])
def test_a_step_of_the_clock_makes_nobody_dead(
    way: str, request: pytest.FixtureRequest, tmp_path: Path, drawn: Path
) -> None:
    moment, began = moments(f"clock {way}"), time.monotonic()
    program: Program = request.getfixturevalue(way)
    clock = Clock(tmp_path, program)
    with workers(clock.program, 2 if way == "served" else 0):
        # Two commands: what one says of the other's processes is by their start alone.
        screens = [start_logged(clock.program, "screen", drawn, "--workers", 2) for _ in range(2)]
        eventually(lambda: ask(program, "SELECT 1 FROM batches WHERE owner IS NOT NULL"), what="work in hand")
        while clock.steps < times(200, 10) and not finished(program):
            clock.step(moment.choice([1, -1, 60, 3600, -3600]))
            time.sleep(moment.uniform(0.05, 0.5))
        assert [screen.wait(times(3000, 100)) for screen in screens] == [0, 0], said(program)
    accounts = assert_nothing_lost(program, drawn)
    assert clock.steps >= 3, "the run lasted long enough"
    assert (accounts.kills, accounts.runs) == (0, 1), "nobody died"
    assert "died" not in said(program)
    record(
        "13", way, f"a clock that steps {clock.steps} times by a second, a minute, an hour, forward and back",
        f"{accounts.done} done once each, no death counted, none dead", time.monotonic() - began,
    )  # fmt: skip
