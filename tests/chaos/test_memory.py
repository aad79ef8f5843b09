"""Memory of producer and worker over many films: flat once warm; and Redis is left as it was found."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
import redis

from schemas.messages import MESSAGE_BYTES_LIMIT
from tests.chaos.accounting import ask, assert_nothing_lost
from tests.chaos.films import draw_films
from tests.chaos.scale import times
from tests.chaos.serving import finished, settled, start_logged, workers
from tests.chaos.table import record
from tests.program import Program, eventually
from wetread.queue import QUEUE_NAME

FOUND = times(1_000_000, 80_000)
"""Files of the producer's archive: names of one small file, which the producer never opens."""

GROWTH = 1.05
"""The most that a warm process may grow."""

WARM = 0.3
"""The share of the films after which a process counts as warm."""

Series = list[tuple[int, float]]


def watch(process: psutil.Process, count: Callable[[], int], ended: Callable[[], bool]) -> Series:
    """Return (films so far, MiB of the process's own memory), a sample in each half second until `ended`."""
    series: Series = []
    while not ended():
        try:
            size = process.memory_full_info().uss / 2**20
        except psutil.Error:
            break
        if not size:  # it has ended, and nobody has taken note yet
            break
        series.append((count(), size))
        time.sleep(times(2, 0) or 0.1)
    return series


def growth(series: Series, films: int) -> float:
    """Return the largest size once warm as a share of that when it became warm."""
    warm = [size for count, size in series if WARM * films <= count]
    print("MiB:", [f"{count}: {size:.1f}" for count, size in series[:: max(1, len(series) // 40)]])  # noqa: T201 - when it fails
    assert len(warm) > 3, "too few samples to tell"
    return max(warm) / warm[0]


@pytest.fixture
def many_names() -> Iterator[Path]:
    """A folder on a memory disk, where a file may have a million names."""
    memory_disk = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory_disk if memory_disk.is_dir() else None) as directory:
        yield Path(directory)
        shutil.rmtree(directory, ignore_errors=True)
        Path(directory).mkdir(exist_ok=True)


@pytest.mark.timeout(3600)
def test_the_producer_stays_as_large_as_it_was(served: Program, many_names: Path) -> None:
    began = time.monotonic()
    (film,) = draw_films(many_names, 1, seed=12)
    for number in range(1, FOUND):
        if number % 1000 == 0:
            (many_names / f"{number // 1000:04d}").mkdir()
        (many_names / f"{number // 1000:04d}" / f"{number:07d}.png").hardlink_to(many_names / film)
    submitting = start_logged(served, "submit", many_names)
    walk_began = time.monotonic()

    def found() -> int:
        return int(str(ask(served, "SELECT coalesce(max(found), 0) FROM runs")[0][0]))

    series = watch(psutil.Process(submitting.pid), found, lambda: submitting.poll() is not None)
    assert submitting.wait() == 0
    seconds = time.monotonic() - walk_began
    assert found() == FOUND
    grew = growth(series, FOUND)
    assert grew <= GROWTH, series
    broker = redis.Redis.from_url(served.environment["WETREAD_BROKER_URL"])
    messages = broker.lrange(QUEUE_NAME, 0, -1)
    largest = max(len(message) for message in messages)
    assert len(messages) <= 256, "rung for up to the high-water mark"
    assert largest < MESSAGE_BYTES_LIMIT <= 1024
    record(
        "12", "served", f"memory of the producer over {FOUND:,} files",
        f"{series[-1][1]:.0f} MiB, {100 * (grew - 1):.1f} % more at most than after {WARM:.0%}; {FOUND / seconds:,.0f} "
        f"files/s; {len(messages)} messages of at most {largest} bytes in Redis",
        time.monotonic() - began,
    )  # fmt: skip


def in_redis(url: str) -> dict[bytes, int]:
    """Return the bytes of each key but those that bind a queue: a worker makes these once, when it has connected."""
    broker = redis.Redis.from_url(url)
    keys = [key for key in broker.scan_iter() if not key.startswith(b"_kombu.binding")]
    return {key: int(broker.memory_usage(key) or 0) for key in keys}


@pytest.mark.timeout(3600)
def test_the_worker_stays_as_large_as_it_was_and_redis_too(served: Program, drawn: Path) -> None:
    began, url = time.monotonic(), served.environment["WETREAD_BROKER_URL"]
    with workers(served, 1) as (worker,):
        before = in_redis(url)
        served.json("submit", drawn)
        films = int(str(ask(served, "SELECT found FROM runs")[0][0]))
        eventually(lambda: settled(served) > 0, what="a first batch")
        child = _reading_child(worker)
        # Celery replaces the process after a thousand batches: the series is of the first one.
        series = watch(child, lambda: settled(served), lambda: finished(served))
        eventually(lambda: finished(served), seconds=times(3000, 60), what="the run's end")
        try:
            eventually(lambda: in_redis(url) == before, what="Redis as it was")
        finally:
            print("bytes in Redis:", before, in_redis(url))  # noqa: T201 - when it fails
    grew = growth(series, films)
    assert grew <= GROWTH, series
    assert all(one <= other for (one, _), (other, _) in pairwise(series))
    accounts = assert_nothing_lost(served, drawn)
    record(
        "12", "served", f"memory of a worker's process over {films:,} films of their own bytes, and of Redis",
        f"{series[-1][1]:.0f} MiB, {100 * (grew - 1):.1f} % more at most than after {WARM:.0%}; Redis holds "
        f"what it held before; {accounts.done} done once each",
        time.monotonic() - began,
    )  # fmt: skip


def _reading_child(worker: subprocess.Popen[str]) -> psutil.Process:
    """Return the pool's process: the largest below the worker."""
    below = psutil.Process(worker.pid).children(recursive=True)
    return max(below, key=lambda process: process.memory_info().rss)
