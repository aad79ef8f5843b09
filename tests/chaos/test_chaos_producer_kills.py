"""The producer killed in its walk and run again: the list of images is whole, and a third run adds nothing to it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.chaos.accounting import ask, assert_nothing_lost
from tests.chaos.processes import children, has_tables
from tests.chaos.scale import FILMS, moments, times
from tests.chaos.serving import finished, start_logged, workers
from tests.chaos.table import record
from tests.program import Program, eventually, kill_group

pytestmark = pytest.mark.timeout(3600)

KILLS = times(full=20, quick=1)


def listed(program: Program) -> int:
    """Return how many images are on the list."""
    (count,) = ask(program, "SELECT count(*) FROM work_items")[0]
    return int(str(count))


def rows(program: Program) -> list[object]:
    """Return how many rows there are of all that a walk adds to, but for runs."""
    return [ask(program, f"SELECT count(*) FROM {table}") for table in ("roots", "images", "work_items", "batches")]  # noqa: S608 - names of our own


def test_embedded_a_screen_whose_first_process_is_killed_in_its_walk_lists_each_film_once(
    embedded: Program, drawn: Path
) -> None:
    """Its worker processes are left alone: they have to see by themselves that it is gone."""
    began = time.monotonic()
    for count in sorted(moments("screen's parent").sample(range(FILMS), KILLS)):
        screen = start_logged(embedded, "screen", drawn, "--workers", 1)
        eventually(
            lambda count=count: has_tables(embedded) and listed(embedded) >= count, what="some of the walk", seconds=600
        )
        family = children(screen)
        screen.kill()
        screen.wait()
        eventually(lambda family=family: not any(child.is_running() for child in family), what="the children's end")
    assert embedded.json("screen", drawn, "--workers", 2)["state"] == "finished"
    accounts = assert_nothing_lost(embedded, drawn)
    assert accounts.runs == 1
    assert_another_run_adds_nothing(embedded, drawn)
    gave = f"{accounts.done} done, in one run; another adds nothing"
    record("2", "embedded", f"`screen` killed in its walk, {KILLS} times", gave, time.monotonic() - began)


def test_served_a_submit_killed_in_its_walk_lists_each_film_once(served: Program, drawn: Path) -> None:
    began = time.monotonic()
    with workers(served, 1, concurrency=2):
        for count in sorted(moments("submit").sample(range(FILMS), KILLS)):
            submit = start_logged(served, "submit", drawn)
            eventually(lambda count=count: listed(served) >= count, what="some of the walk", seconds=600)
            kill_group(submit)
        served.json("submit", drawn)
        eventually(lambda: finished(served), seconds=1200, what="the run's end")
        accounts = assert_nothing_lost(served, drawn)
        assert_another_run_adds_nothing(served, drawn)
    gave = f"{accounts.done} done; another run adds nothing"
    record("2", "served", f"`submit` killed in its walk, {KILLS} times", gave, time.monotonic() - began)


def assert_another_run_adds_nothing(program: Program, archive: Path) -> None:
    before = rows(program)
    account = program.json("screen", archive)
    assert (account["found"], account["skipped"]) == (FILMS, FILMS)
    assert rows(program) == before
