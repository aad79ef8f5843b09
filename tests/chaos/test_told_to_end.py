"""SIGTERM, to workers and to `screen`, and Ctrl-C: an orderly end that loses nothing and counts as nobody's death."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.chaos.accounting import ask, assert_nothing_lost
from tests.chaos.scale import FILMS, moments, times
from tests.chaos.serving import finished, seconds_until, settled, start_logged, workers
from tests.chaos.table import record
from tests.program import Program, eventually
from worker.pool import END_SECONDS

SOFT_SECONDS = 30.0
"""Seconds that Celery gives the batch in hand: worker_soft_shutdown_timeout."""


def seconds_to_end(process: subprocess.Popen[str], limit: float) -> float:
    return seconds_until(lambda: process.poll() is not None, limit=limit, what="its end")


@pytest.mark.timeout(3600)
def test_workers_that_are_told_to_end_lose_nothing(served: Program, drawn: Path) -> None:
    moment, began, took = moments("SIGTERM"), time.monotonic(), []
    served.json("submit", drawn)
    with workers(served, 2) as started:
        for number in range(times(10, 1)):
            before = settled(served)
            eventually(lambda before=before: settled(served) > before or finished(served), what="a batch")
            time.sleep(moment.uniform(0, times(15, 0.5)))
            told = started[number % 2]
            os.kill(told.pid, signal.SIGTERM)
            took.append(seconds_to_end(told, SOFT_SECONDS + 10))
            assert told.returncode == 0
            started[number % 2] = start_logged(served, "worker", "--concurrency", 1)
        eventually(lambda: finished(served), seconds=times(2400, 120), what="the run's end")
    accounts = assert_nothing_lost(served, drawn)
    assert accounts.kills == 0, "an orderly end is no death"
    record(
        "9", "served", f"SIGTERM to a busy worker {len(took)} times",
        f"gone after {max(took):.0f} s at most; {accounts.done} done once each, no death counted",
        time.monotonic() - began,
    )  # fmt: skip


@pytest.mark.timeout(3600)
def test_a_screening_that_is_told_to_end_goes_on_with_the_same_command(embedded: Program, drawn: Path) -> None:
    moment, began, took = moments("screen told to end"), time.monotonic(), []
    for number in range(times(11, 2)):
        before = settled(embedded) if number else 0
        running = embedded.start("screen", drawn, "--workers", "2")
        eventually(
            lambda before=before: ask(embedded, f"SELECT 1 FROM runs WHERE done > {before}"),  # noqa: S608 - a number
            what="a batch",
        )
        time.sleep(moment.uniform(0, FILMS / 20_000))
        if number:
            os.kill(running.pid, signal.SIGTERM)
        else:
            os.killpg(running.pid, signal.SIGINT)  # as Ctrl-C does
        took.append(seconds_to_end(running, END_SECONDS + 10))
        _, said = running.communicate()
        assert running.returncode == 130, said
        assert "the same command continues" in said
        assert "Traceback" not in said
        assert ask(embedded, "SELECT count(*) FROM batches WHERE owner IS NOT NULL") == [(0,)], "nothing is held"
    ended = embedded.json("screen", drawn)
    accounts = assert_nothing_lost(embedded, drawn)
    assert (ended["run"], accounts.runs, accounts.kills) == (1, 1, 0)
    record(
        "9", "embedded", f"`screen` ended by Ctrl-C and {len(took) - 1} times by SIGTERM",
        f"exit 130 after {max(took):.0f} s at most; the same command ended the run: {accounts.done} done once each",
        time.monotonic() - began,
    )  # fmt: skip
