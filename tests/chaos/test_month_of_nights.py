"""A month of nights over an archive that grows each day, with two beats, crashes and a missed night.

CHAOS=full: 30 nights, 500 films a day and three crashes; otherwise four nights, with few films and one crash.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.chaos.accounting import ask, assert_nothing_lost
from tests.chaos.films import draw_films
from tests.chaos.scale import FULL, SEED, moments, times
from tests.program import Program, eventually, with_model

pytestmark = pytest.mark.timeout(3600)

NIGHTS = times(full=30, quick=4)
FILMS_A_DAY = times(full=500, quick=24)
CRASHES = times(full=3, quick=1)
FIRST = datetime(2026, 3, 20, tzinfo=UTC)
"""The nights go over the change to summer time, 29 March."""


class Beats:
    """Two beats of a program, and the time that they see."""

    def __init__(self, program: Program, folder: Path) -> None:
        self.program, self.clock = program, folder / "clock"
        self.running: list[subprocess.Popen[bytes]] = []

    def now(self, moment: datetime) -> None:
        written = self.clock.with_suffix(".new")
        written.write_text(moment.isoformat())
        written.replace(self.clock)

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.chaos.night_beat", str(self.clock)]
        with (self.program.home / "beats.log").open("ab") as log:
            while len(self.running) < 2:
                self.running.append(subprocess.Popen(command, env=self.program.env(), stderr=log))

    def kill_the_one_at_work(self) -> None:
        """kill -9 of the beat that holds the schedule; the other one has to go on by itself."""
        eventually(self.keepers, what="a beat at work")
        victim = self.keepers()[0]
        os.kill(victim, signal.SIGKILL)
        for beat in [beat for beat in self.running if beat.pid == victim]:
            beat.wait(30)
            self.running.remove(beat)
        assert len(self.running) == 1, "the keeper was one of the two"

    def keepers(self) -> list[int]:
        return [int(str(one).split(":")[1]) for (one,) in ask(self.program, "SELECT keeper FROM schedules") if one]

    def stop(self) -> None:
        for beat in self.running:
            with suppress(ProcessLookupError):
                beat.terminate()
        for beat in self.running:
            assert beat.wait(60) == 0
        self.running = []


def test_one_run_a_night_and_each_film_read_once(tmp_path: Path) -> None:
    program = with_model(
        tmp_path / "home", WETREAD_SWEEP_SECONDS="0.1", WETREAD_BATCH_SIZE="8", WETREAD_LEASE_SECONDS="5"
    )
    archive = tmp_path / "archive"
    draw_films(archive / "before", FILMS_A_DAY, seed=SEED % 2**31)
    added = program.run(
        "schedule", "add", "nightly", archive, "--cron", "0 22 * * *", "--window", "22:00-06:00", "--timezone",
        "Europe/Paris",
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    make_it_older(program)
    crashed = set(moments("crashes").sample(range(1, NIGHTS - 1), CRASHES))
    missed = moments("missed").choice([night for night in range(1, NIGHTS - 1) if night not in crashed])
    beats = Beats(program, tmp_path)
    began = 0
    try:
        for night in range(NIGHTS):
            day = FIRST + timedelta(days=night)
            beats.now(day + timedelta(hours=12))
            draw_films(archive / f"{night:02d}", FILMS_A_DAY, seed=SEED % 2**30 + night + 1)
            if night == missed:
                beats.stop()
                continue
            beats.start()
            beats.now(day + timedelta(hours=21, seconds=20))  # 22:00 in Paris, or 23:00 in summer
            if night in crashed:
                beats.kill_the_one_at_work()
                beats.start()
            began += 1
            done = f"SELECT 1 FROM runs WHERE state = 'finished' AND id = {began}"  # noqa: S608 - a number of our own
            eventually(lambda done=done: ask(program, done), seconds=120, what=f"the run of night {night}")
    finally:
        for beat in beats.running:
            beat.terminate()
        beats_ended = [beat.wait(60) for beat in beats.running]
    assert set(beats_ended) <= {0}
    outcomes = ask(program, "SELECT outcome, count(*), count(DISTINCT run_id) FROM schedule_ticks GROUP BY outcome")
    assert {str(outcome): (rows, runs) for outcome, rows, runs in outcomes} == {
        "started": (NIGHTS - 1, NIGHTS - 1), "missed": (1, 0)
    }  # fmt: skip
    accounts = assert_nothing_lost(program, archive)
    assert accounts.files == (NIGHTS + 1) * FILMS_A_DAY
    assert accounts.runs == NIGHTS - 1
    assert ask(program, "SELECT sum(done), max(found) FROM runs") == [(accounts.files, accounts.files)]
    assert not FULL or NIGHTS == 30
    report = program.run("report", "--nightly", "--json")
    assert report.returncode in (0, 3), report.stderr  # 3: these films drift, perhaps
    told, last = json.loads(report.stdout), FILMS_A_DAY * (2 if missed == NIGHTS - 2 else 1)
    assert (told["run"], told["found"], told["done"]) == (accounts.runs, accounts.files, last)
    assert (told["skipped"], told["pending"]) == (accounts.files - last, 0)
    history = program.json("schedule", "history", "nightly", "--limit", str(NIGHTS))
    assert sum(night["done"] or 0 for night in history) == accounts.files, "what the nights read is what lies there"


def make_it_older(program: Program) -> None:
    """Date the schedule before the first night: it was added today."""
    import sqlite3

    with sqlite3.connect(program.home / "results.db") as connection:
        connection.execute("UPDATE schedules SET since_at = ?", (FIRST.strftime("%Y-%m-%d %H:%M:%S.000000"),))
    connection.close()
