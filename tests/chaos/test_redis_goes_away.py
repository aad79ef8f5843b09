"""Redis killed and started again, while workers are busy and while they are idle, and emptied in the middle."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.accounting import assert_nothing_lost
from tests.chaos.films import draw_films
from tests.chaos.scale import moments, times
from tests.chaos.serving import finished, said, seconds_until, settled, workers
from tests.chaos.table import record
from tests.program import Program
from tests.servers.redis_server import RedisServer

BACK_SECONDS = 60.0
"""The promise; Celery asks a broker that is away again after 2, 4, 6… seconds."""

IN_HAND = 2 * 64
"""Images that two workers can settle without hearing from Redis."""


@pytest.mark.timeout(3600)
def test_workers_hear_again_after_redis_was_killed_busy_idle_and_emptied(
    served: Program, own_archive: Path, start_redis: Callable[[], RedisServer]
) -> None:
    moment, began = moments("redis"), time.monotonic()
    broker = start_redis()
    served.environment["WETREAD_BROKER_URL"] = broker.url
    served.json("submit", own_archive)

    def restart(away: float) -> None:
        broker.kill()
        time.sleep(away)
        broker.start()

    def seconds_to_hear() -> float:
        before = settled(served)
        heard = seconds_until(
            lambda: settled(served) > before + IN_HAND or finished(served), limit=BACK_SECONDS, what="consuming again"
        )
        print(f"consuming again after {heard:.1f} s")  # noqa: T201 - the series, when the test fails
        return heard

    with workers(served, 2):
        seconds_until(lambda: settled(served) > 0, limit=60, what="a first batch")
        busy = []
        for _ in range(times(6, 2)):
            time.sleep(moment.uniform(0, times(20, 1)))
            restart(moment.choice([0, 1, 3, times(20, 3)]))
            busy.append(seconds_to_hear())
        broker.flush()
        emptied = seconds_to_hear()
        seconds_until(lambda: finished(served), limit=times(2400, 120), what="the run's end")
        idle = []
        for restarted in range(times(4, 1)):
            restart(moment.choice([0, 1, 3]))
            draw_films(own_archive / f"new-{restarted}", 100, seed=restarted)
            served.json("submit", own_archive)
            idle.append(seconds_until(lambda: finished(served), limit=BACK_SECONDS, what="what came after the restart"))
    assert "Traceback" not in said(served), "a worker that loses its broker says so in a line"
    assert "restarts itself" not in said(served), "no worker was deaf"
    accounts = assert_nothing_lost(served, own_archive)
    record(
        "3", "served", f"Redis killed and started again {len(busy)} times busy and {len(idle)} times idle; FLUSHALL",
        f"{accounts.done} done once each; consuming again after {max(busy):.0f} s busy, {max(idle):.0f} s idle, "
        f"{emptied:.0f} s emptied, at most",
        time.monotonic() - began,
    )  # fmt: skip
