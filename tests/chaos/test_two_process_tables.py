"""Two tables of processes under one host's name, as of two containers of a pod: neither speaks of the other's dead."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.chaos.accounting import ask, assert_nothing_lost
from tests.chaos.processes import go_on, stand_still
from tests.chaos.scale import times
from tests.chaos.serving import finished, known_workers, said, start_logged
from tests.chaos.table import record
from tests.namespaces import in_namespaces
from tests.program import Program, eventually, kill_group

pytestmark = pytest.mark.timeout(3600)


def contained(program: Program) -> Program:
    """Return the program as a container runs it: the first process of a table of its own, on a machine of our name."""
    return replace(program, launcher=tuple(in_namespaces("--pid", "--fork", "--mount-proc", "--kill-child", "--")))


def inside(container: subprocess.Popen[str]) -> psutil.Process:
    """Return a container's first process."""
    (first,) = psutil.Process(container.pid).children()
    return first


@contextmanager
def contained_workers(program: Program, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    started = [start_logged(contained(program), "worker", "--concurrency", 1) for _ in range(count)]
    try:
        eventually(lambda: known_workers(program) >= count, what="the workers' start")
        yield started
        for worker in started:
            inside(worker).send_signal(signal.SIGTERM)
        assert [worker.wait(60) for worker in started] == [0] * count
    finally:
        for worker in started:
            if worker.poll() is None:
                kill_group(worker)


def test_embedded_two_tables_work_on_one_run_and_nobody_is_taken_for_dead(embedded: Program, drawn: Path) -> None:
    """Each command that begins frees what the dead hold: of its own table alone. It does so while the first stands."""
    began = time.monotonic()
    first = start_logged(contained(embedded), "screen", drawn, "--workers", 2)
    others: list[subprocess.Popen[str]] = []
    for _ in range(times(6, 1)):
        stand_still(embedded, first)
        others.append(start_logged(contained(embedded), "screen", drawn, "--workers", 1))
        eventually(lambda: children_inside(others[-1]), what="processes of the other command")
        go_on(first)
        time.sleep(times(10, 0))
        if first.poll() is not None:
            break
    assert [one.wait(times(3000, 100)) for one in (first, *others)] == [0] * (1 + len(others)), said(embedded)
    accounts = assert_nothing_lost(embedded, drawn)
    assert (accounts.kills, "died" in said(embedded)) == (0, False), "nobody died"
    record(
        "14", "embedded", f"{1 + len(others)} commands in process tables of their own under one host's name",
        f"{accounts.done} done once each, in {accounts.runs} run; no death counted, none dead",
        time.monotonic() - began,
    )  # fmt: skip


def children_inside(container: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the worker processes of the command that a container runs."""
    with suppress(psutil.NoSuchProcess, ValueError):  # it has not begun yet
        return [one for one in inside(container).children() if "spawn_main" in " ".join(one.cmdline())]
    return []


def test_served_workers_in_two_tables_do_not_free_what_the_other_holds(served: Program, drawn: Path) -> None:
    began = time.monotonic()
    with contained_workers(served, 2) as pair:
        served.json("submit", drawn)
        eventually(lambda: finished(served), seconds=times(3000, 100), what="the run's end")
        assert known_workers(served) == 4, "none was taken off the list: two workers and their processes"
        for worker in pair:  # they share a temporary directory, and each check speaks of its own
            enter = ("nsenter", "--all", "--target", str(inside(worker).pid))
            assert replace(served, launcher=enter).run("health", "worker").stdout.startswith("1 worker alive here")
        outside = served.run("health", "worker")
        assert (outside.returncode, outside.stdout) == (1, ""), "none is in ours"
    owners = ask(served, "SELECT count(DISTINCT worker) FROM work_items")
    assert owners == [(2,)], "both worked"
    accounts = assert_nothing_lost(served, drawn)
    assert (accounts.kills, "died" in said(served)) == (0, False), "nobody died"
    record(
        "14", "served", "2 workers in process tables of their own under one host's name",
        f"{accounts.done} done once each, in {accounts.runs} run; no death counted, none dead",
        time.monotonic() - began,
    )  # fmt: skip
