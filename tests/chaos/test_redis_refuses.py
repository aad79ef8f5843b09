"""Redis that hangs, and Redis that answers and refuses, in the middle of the work: no worker ends of it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.chaos.accounting import assert_nothing_lost
from tests.chaos.films import draw_films
from tests.chaos.scale import FULL, moments, times
from tests.chaos.serving import finished, said, seconds_until, settled, workers
from tests.chaos.table import record
from tests.program import Program, eventually
from tests.servers.redis_server import RedisServer

BACK_SECONDS = 60.0
"""The promise, as for a Redis that is killed."""

CURES = {
    "a replica": "name the master",
    "full": "raise its maxmemory",
    "of the wrong type": "take another number",
    "of another password": "another password",
}
"""How it refuses -> what a worker says to do."""


@contextmanager
def refusing(broker: RedisServer, how: str) -> Iterator[None]:
    """Have Redis refuse until the block ends."""
    with redis.Redis.from_url(broker.url, retry=Retry(NoBackoff(), 0)) as client:
        client.ping()
        if how == "a replica":
            client.replicaof("127.0.0.1", "1")
        elif how == "full":
            client.config_set("maxmemory", "1")
        elif how == "of the wrong type":
            client.delete("wetread")
            client.set("wetread", "another program's")
        else:
            client.config_set("requirepass", "another")
            client.client_kill_filter(_type="normal", skipme=True)
        try:
            yield
        finally:
            if how == "a replica":
                client.replicaof("no", "one")
            elif how == "full":
                client.config_set("maxmemory", "0")
            elif how == "of the wrong type":
                client.delete("wetread")
            else:
                client.config_set("requirepass", broker.password)


def alive(program: Program) -> bool:
    """Return whether a liveness check would let the workers be."""
    return program.run("health", "worker").returncode == 0


@pytest.mark.timeout(3600)
def test_redis_that_is_stopped_and_woken_is_waited_for(
    served: Program, own_archive: Path, start_redis: Callable[[], RedisServer]
) -> None:
    moment, began = moments("redis stopped"), time.monotonic()
    broker = start_redis()
    served.environment["WETREAD_BROKER_URL"] = broker.url
    served.json("submit", own_archive)
    refused, heard = [], []
    with workers(served, 2) as started:
        seconds_until(lambda: settled(served) > 0, limit=60, what="a first batch")
        for turn in range(times(6, 1)):
            assert broker.process is not None
            os.kill(broker.process.pid, signal.SIGSTOP)
            try:
                asked = time.monotonic()
                draw_films(own_archive / f"while-stopped-{turn}", 10, seed=turn)
                ended = served.run("submit", own_archive)
                refused.append(time.monotonic() - asked)
                assert ended.returncode == 4, ended.stderr
                assert "is recorded" in ended.stderr
                assert alive(served), "liveness depends on no broker"
                time.sleep(moment.uniform(0, times(20, 2)))
            finally:
                os.kill(broker.process.pid, signal.SIGCONT)
            before = settled(served)
            goes_on = lambda: settled(served) > before or finished(served)  # noqa: B023, E731 - called now
            heard.append(seconds_until(goes_on, limit=BACK_SECONDS, what="reading on"))
        seconds_until(lambda: finished(served), limit=times(2400, 120), what="the run's end")
        assert all(worker.poll() is None for worker in started), "no worker ended"
    assert max(refused) < 60, "submit has a minute of patience"
    assert "Traceback" not in said(served)
    accounts = assert_nothing_lost(served, own_archive)
    record(
        "22", "served", f"Redis stopped (SIGSTOP) in the middle and woken, {len(heard)} times",
        f"{accounts.done} done once each, no worker ended, each alive to its check; `submit` meanwhile recorded all "
        f"and ended with 4 after {max(refused):.0f} s at most; reading on {max(heard):.0f} s after the wake at most",
        time.monotonic() - began,
    )  # fmt: skip


@pytest.mark.timeout(3600)
def test_redis_that_refuses_for_a_while_is_waited_for_and_its_cure_is_said(
    served: Program, own_archive: Path, start_redis: Callable[[], RedisServer]
) -> None:
    moment, began = moments("redis refuses"), time.monotonic()
    broker = start_redis()
    served.environment["WETREAD_BROKER_URL"] = broker.url
    served.json("submit", own_archive)
    heard = {}
    with workers(served, 2) as started:
        seconds_until(lambda: settled(served) > 0, limit=60, what="a first batch")
        hows = [*CURES, *CURES] if FULL else moment.sample(list(CURES), 2)
        for turn, how in enumerate(hows):
            with refusing(broker, how):
                draw_films(own_archive / f"while-refusing-{turn}", 10, seed=turn)
                ended = served.run("submit", own_archive)
                assert ended.returncode == 4, ended.stderr
                assert "is recorded" in ended.stderr
                told = len(said(served))
                eventually(lambda: CURES[how] in said(served)[told:], what="a word why")  # noqa: B023 - called now
                time.sleep(moment.uniform(0, times(20, 1)))
            before = settled(served)
            goes_on = lambda: settled(served) > before or finished(served)  # noqa: B023, E731 - called now
            heard[how] = max(heard.get(how, 0), seconds_until(goes_on, limit=BACK_SECONDS, what=f"reading on: {how}"))
        seconds_until(lambda: finished(served), limit=times(2400, 120), what="the run's end")
        assert alive(served)
        assert all(worker.poll() is None for worker in started), "no worker ended"
    log = said(served)
    assert "Traceback" not in log
    assert "restarts itself" not in log
    accounts = assert_nothing_lost(served, own_archive)
    longest = ", ".join(f"{how} {seconds:.0f} s" for how, seconds in heard.items())
    record(
        "23", "served", f"Redis {', '.join(heard)} for a while, {len(hows) // len(heard)} times each",
        f"{accounts.done} done once each, no worker ended, each said why and what to do; `submit` meanwhile recorded "
        f"all and ended with 4; reading on after it was mended: {longest} at most",
        time.monotonic() - began,
    )  # fmt: skip
