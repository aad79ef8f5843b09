"""Workers as programs of their own, to signal and to measure."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.chaos.accounting import ask
from tests.program import Program, eventually, kill_group


def start_logged(program: Program, *arguments: object) -> subprocess.Popen[str]:
    """Start the program; what it says goes to `home`/said.txt, so that no pipe fills in a long run."""
    program.home.mkdir(parents=True, exist_ok=True)
    with (program.home / "said.txt").open("a") as said:
        return subprocess.Popen(
            program.command(*arguments),
            env=program.env(), stdout=said, stderr=said, text=True, start_new_session=True,
        )  # fmt: skip


def said(program: Program) -> str:
    """Return all that logged programs said."""
    return (program.home / "said.txt").read_text()


@contextmanager
def workers(program: Program, count: int, *, concurrency: int = 1) -> Iterator[list[subprocess.Popen[str]]]:
    """Keep workers until the block ends, and see that the last ones end in order. The list may be changed."""
    known = known_workers(program)
    started = [start_logged(program, "worker", "--concurrency", concurrency) for _ in range(count)]
    try:
        eventually(lambda: known_workers(program) >= known + count, what="the workers' start")
        yield started
    except BaseException:
        for worker in started:
            kill_group(worker)
        raise
    for worker in started:
        if worker.poll() is None:
            os.kill(worker.pid, signal.SIGTERM)
    for worker in started:
        try:
            worker.wait(timeout=60)
        except subprocess.TimeoutExpired:
            kill_group(worker)
            raise


def known_workers(program: Program) -> int:
    """Return how many workers have said that they live; one that was killed is among them for a while."""
    ((count,),) = ask(program, "SELECT count(*) FROM workers")
    return int(str(count))


def settled(program: Program) -> int:
    """Return how many images are settled."""
    (count,) = ask(program, "SELECT coalesce(sum(done + rejected + dead), 0) FROM runs")[0]
    return int(str(count))


def finished(program: Program) -> bool:
    """Return whether every run is finished, and there is one."""
    return ask(program, "SELECT count(*) > 0, count(*) FILTER (WHERE state <> 'finished') FROM runs") in (
        [(True, 0)], [(1, 0)],
    )  # fmt: skip


def seconds_until(condition: Callable[[], object], *, limit: float, what: str) -> float:
    """Wait until `condition` holds; return the seconds that it took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() < start + limit, f"{what} did not come true within {limit:g} s"
        time.sleep(0.05)
    return time.monotonic() - start
