"""`wetread beat` rings for what waits, again when a ring was lost, and ends when told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from producer.beat import keep_time
from schemas.errors import EXIT_UNAVAILABLE, ServiceUnavailable
from schemas.states import RunState
from schemas.tables import Batch, Model, Run, StoredDecision
from tests.services import RedisServer
from wetread.clock import utc_now
from wetread.queue import make_app, queue_length
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema


def enqueue(database: Database, batches: int) -> None:
    """Write a running run of `batches` batches that nobody has rung for."""
    ensure_schema(database)
    model, decision = "a" * 64, "b" * 64
    with database.writing() as session:
        session.add(StoredDecision(digest=decision, model_digest=model, temperature=1.0, thresholds={}))
        session.flush()
        session.add(
            Model(
                digest=model, name="m", version=1, directory="m/1", labels=["a", "b"], decision_digest=decision,
                registered_at=utc_now(),
            )
        )  # fmt: skip
        session.flush()
        run = Run(
            state=RunState.RUNNING, model_digest=model, engine="numpy", root_ids=[], force=False, created_at=utc_now(),
            found=batches, pending=batches,
        )  # fmt: skip
        session.add(run)
        session.flush()
        session.add_all(Batch(run_id=run.id, pending=1) for _ in range(batches))


@contextmanager
def beating(settings: Settings) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=keep_time, args=(settings, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=20)
        assert not thread.is_alive()


def until(true: Callable[[], bool]) -> None:
    limit = time.monotonic() + 30
    while not true():
        assert time.monotonic() < limit, "expected it within 30 s"
        time.sleep(0.02)


def waiting(settings: Settings) -> int:
    return queue_length(make_app(settings), settings)


def test_it_rings_once_for_each_batch_that_waits(redis_url: str) -> None:
    settings = Settings(broker_url=redis_url)
    database = Database(settings.database)
    enqueue(database, batches=3)
    one_sweep = threading.Event()
    one_sweep.set()
    for _ in range(2):
        keep_time(settings, one_sweep)
        assert waiting(settings) == 3
    database.dispose()


def test_it_waits_for_a_broker_that_restarts_and_rings_again_for_what_was_lost(
    start_redis: Callable[[], RedisServer],
) -> None:
    server = start_redis()
    settings = Settings(broker_url=server.url, sweep_seconds=0.05, lease_seconds=0.2)
    database = Database(settings.database)
    enqueue(database, batches=2)
    with beating(settings):
        until(lambda: waiting(settings) == 2)
        server.kill()
        server.restart()
        server.flush()
        until(lambda: waiting(settings) == 2)
    database.dispose()


def test_a_broker_that_is_not_there_at_the_start_is_said() -> None:
    with pytest.raises(ServiceUnavailable, match="WETREAD_BROKER_URL"):
        keep_time(Settings(broker_url="redis://127.0.0.1:1/0"), threading.Event())


def test_the_command_ends_in_order_and_exits_4_without_a_broker(redis_url: str) -> None:
    command = [sys.executable, "-m", "cli", "beat"]
    settings = Settings(broker_url=redis_url)
    database = Database(settings.database)
    enqueue(database, batches=1)
    with subprocess.Popen(command, env={**os.environ, "WETREAD_BROKER_URL": redis_url}) as process:
        until(lambda: waiting(settings) == 1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    database.dispose()
    done = subprocess.run(
        command, env={**os.environ, "WETREAD_BROKER_URL": "redis://127.0.0.1:1/0"}, capture_output=True
    )
    assert done.returncode == EXIT_UNAVAILABLE
    assert b"WETREAD_BROKER_URL" in done.stderr
