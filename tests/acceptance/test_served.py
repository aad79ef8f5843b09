"""The same archive through Redis and PostgreSQL, with workers that are programs of their own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from schemas.errors import ServiceUnavailable
from schemas.messages import MESSAGE_BYTES_LIMIT
from tests.program import Program, eventually, films, kill_group, with_model
from tests.servers.redis_server import RedisServer
from wetread.queue import QUEUE_NAME, START_SECONDS, batch_seconds, make_app
from wetread.settings import Settings
from wetread.store.core.database import Database
from worker import deaf_restart
from worker.deaf_restart import DEAF_SECONDS, Hearing


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("drawn")
    films(directory, patients=60, seed=3)
    (directory / "manifest.csv").unlink()
    return directory


@pytest.fixture
def archive(drawn: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(drawn, tmp_path / "archive"))


@pytest.fixture
def served(tmp_path: Path, redis_url: str, postgres_url: str) -> Program:
    """A program whose database is PostgreSQL and whose broker is Redis."""
    return with_model(
        tmp_path / "home",
        WETREAD_DATABASE_URL=postgres_url,
        WETREAD_BROKER_URL=redis_url,
        WETREAD_BATCH_SIZE="8",
        WETREAD_LEASE_SECONDS="3",
        WETREAD_SWEEP_SECONDS="1",
    )


@contextmanager
def workers(program: Program, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Keep workers until the block ends, and see that the last ones end in order."""
    started = [program.start("worker", "--concurrency", "1") for _ in range(count)]
    try:
        yield started
    finally:
        for worker in started:
            if worker.poll() is None:
                os.kill(worker.pid, signal.SIGTERM)
        for worker in started:
            try:
                worker.communicate(timeout=45)
            except subprocess.TimeoutExpired:
                kill_group(worker)
                raise


def ask(program: Program, query: str) -> list[tuple[object, ...]]:
    url = program.environment["WETREAD_DATABASE_URL"].replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()  # type: ignore[call-overload,no-any-return]  # a literal in each test


def test_two_workers_give_the_labels_and_probabilities_of_the_embedded_way(
    served: Program, archive: Path, tmp_path: Path
) -> None:
    embedded = with_model(tmp_path / "embedded")
    assert embedded.json("screen", archive)["done"] == 60
    with workers(served, 2):
        ended = served.json("screen", archive)
        again = served.json("screen", archive)
    assert (ended["state"], ended["found"], ended["done"], again["skipped"]) == ("finished", 60, 60, 60)
    here = {row["path"]: row for row in embedded.lines("results", "list")}
    there = {row["path"]: row for row in served.lines("results", "list")}
    assert here.keys() == there.keys()
    for path, row in here.items():
        assert there[path]["label"] == row["label"]
        for label, probability in row["probabilities"].items():
            assert there[path]["probabilities"][label] == pytest.approx(probability, abs=1e-4)
    both = ask(served, "SELECT count(DISTINCT split_part(worker, ':', 2)) FROM work_items")
    assert both == [(2,)], "both workers took part"


def test_submit_returns_and_a_later_worker_reads_it_all(served: Program, archive: Path) -> None:
    submitted = served.json("submit", archive)
    assert (submitted["found"], submitted["pending"], submitted["state"]) == (60, 60, "running")
    with workers(served, 1):
        eventually(lambda: served.json("status")["state"] == "finished", what="the run's end")
    assert served.json("status")["done"] == 60


def test_a_run_costs_one_message_a_batch(
    served: Program, archive: Path, start_redis: Callable[[], RedisServer]
) -> None:
    broker = start_redis()
    served.environment["WETREAD_BROKER_URL"] = broker.url
    served.environment["WETREAD_LEASE_SECONDS"] = "60"  # no ring counts as lost on a busy machine
    served.json("submit", archive)
    with workers(served, 2):
        eventually(lambda: served.json("status")["state"] == "finished", what="the run's end")
    sent = redis.Redis.from_url(broker.url).info("commandstats")["cmdstat_lpush"]["calls"]
    assert [(sent,)] == ask(served, "SELECT count(*) FROM batches")


def test_a_broker_that_forgot_everything_is_rung_again(
    served: Program, archive: Path, start_redis: Callable[[], RedisServer]
) -> None:
    broker = start_redis()
    served.environment["WETREAD_BROKER_URL"] = broker.url
    served.json("submit", archive)
    broker.flush()
    assert redis.Redis.from_url(broker.url).llen(QUEUE_NAME) == 0
    with workers(served, 1):
        eventually(lambda: ask(served, "SELECT 1 FROM runs WHERE done > 0"), what="a first batch")
        broker.kill()
        broker.restart()
        eventually(lambda: served.json("status")["state"] == "finished", seconds=90, what="the run's end")
    assert served.json("status")["done"] == 60


def test_messages_are_small_and_the_broker_is_rung_up_to_the_high_water_mark(served: Program, archive: Path) -> None:
    served.environment["WETREAD_OUTSTANDING_BATCHES"] = "3"
    served.json("submit", archive)
    broker = redis.Redis.from_url(served.environment["WETREAD_BROKER_URL"])
    assert broker.llen(QUEUE_NAME) == 3
    messages = broker.lrange(QUEUE_NAME, 0, -1)
    assert all(len(message) < MESSAGE_BYTES_LIMIT for message in messages), [len(message) for message in messages]
    assert not any(b"archive" in message for message in messages)


def test_a_worker_that_lacks_the_model_gives_the_batch_back_untried(
    served: Program, archive: Path, tmp_path: Path
) -> None:
    served.json("submit", archive)
    without = Program(tmp_path / "elsewhere", dict(served.environment))
    with workers(without, 1):
        gave_back = "SELECT 1 FROM batches WHERE fence > 0 AND owner IS NULL"
        eventually(lambda: ask(served, gave_back), what="a batch given back")
    assert ask(served, "SELECT max(kills) FROM batches") == [(0,)]
    assert served.json("status")["pending"] == 60
    with workers(served, 1):
        eventually(lambda: served.json("status")["state"] == "finished", what="the run's end")


def test_a_worker_is_not_deaf_because_the_broker_was_away(
    served: Program, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(database_url=served.environment["WETREAD_DATABASE_URL"], broker_url=redis_url)
    app, restarts = make_app(settings), list[bool]()
    database = Database(settings.database)
    hearing = Hearing(database, app, settings, lambda: restarts.append(True))
    hearing.hear_from_now()
    app.send_task("wetread.read_batch", args=[{"v": 1, "batch_id": 1}])
    hearing._heard_at -= 10 * DEAF_SECONDS

    def away(*_: object) -> int:
        raise ServiceUnavailable("no broker")

    with monkeypatch.context() as patched, pytest.raises(ServiceUnavailable):
        patched.setattr(deaf_restart, "queue_length", away)
        hearing.look()
    hearing.look()
    assert not restarts, "it has had no time to hear"
    hearing._heard_at -= 10 * DEAF_SECONDS
    hearing.look()
    assert restarts == [True]
    database.dispose()


def test_a_worker_that_hears_nothing_of_what_waits_restarts_itself(served: Program, redis_url: str) -> None:
    settings = Settings(database_url=served.environment["WETREAD_DATABASE_URL"], broker_url=redis_url)
    app, restarts = make_app(settings), list[bool]()
    database = Database(settings.database)
    hearing = Hearing(database, app, settings, lambda: restarts.append(True))
    now = time.monotonic()
    hearing.restart_if_deaf(now + 10 * DEAF_SECONDS)
    assert not restarts, "nothing waits"
    now += 10 * DEAF_SECONDS
    app.send_task("wetread.read_batch", args=[{"v": 1, "batch_id": 1}])
    hearing.restart_if_deaf(now + DEAF_SECONDS / 2)
    assert not restarts, "it has not waited long"
    hearing.restart_if_deaf(now + 2 * DEAF_SECONDS)
    assert restarts == [True]
    database.dispose()


def test_a_named_film_is_read_here_and_kept_by_a_worker(served: Program, archive: Path) -> None:
    film = next(path for path in sorted(archive.rglob("*")) if path.is_file())
    (shown,) = served.json("screen", film)
    assert (shown["state"], shown["model"], shown["run"]) == ("done", "tiny@1", None)
    assert ask(served, "SELECT count(*) FROM runs") == [(0,)], "nothing was stored, and no worker was asked"
    with workers(served, 1):
        (kept,) = served.json("screen", film, "--keep")
    assert (kept["run"], kept["probabilities"]) == (1, shown["probabilities"])
    listed = served.json("results", "list")
    assert [(row["path"], row["label"]) for row in listed] == [(str(film), kept["label"])], "and nothing beside it"
    assert served.json("status")["found"] == 1


def test_a_worker_whose_processes_still_start_is_not_deaf(
    served: Program, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(database_url=served.environment["WETREAD_DATABASE_URL"], broker_url=redis_url)
    app, restarts = make_app(settings), list[bool]()
    database = Database(settings.database)
    hearing = Hearing(database, app, settings, lambda: restarts.append(True))
    monkeypatch.setattr(deaf_restart, "reserved_requests", {"what no process has taken yet"})
    app.send_task("wetread.read_batch", args=[{"v": 1, "batch_id": 1}])
    now, batch = time.monotonic(), batch_seconds(settings)
    hearing.restart_if_deaf(now + DEAF_SECONDS + batch + START_SECONDS - 5)
    assert not restarts, "a process may take so long to start, and then to read its batch"
    hearing.restart_if_deaf(now + DEAF_SECONDS + batch + START_SECONDS + 5)
    assert restarts == [True]
    database.dispose()


@pytest.mark.parametrize(("asked", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_worker_that_is_asked_to_end_says_by_its_code_who_asked(
    served: Program, asked: signal.Signals, code: int
) -> None:
    with workers(served, 1) as (worker,):
        eventually(lambda: ask(served, "SELECT 1 FROM workers"), what="the worker's start")
        worker.send_signal(asked)
        worker.wait(timeout=45)
        assert worker.returncode == code
