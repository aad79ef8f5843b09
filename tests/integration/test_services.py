"""The servers of tests/services.py are real, are alone, keep their data over a kill, and leave nothing behind."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests import services
from tests.servers import server as servers
from tests.servers.server import Server, ServerFailed
from tests.services import PostgresServer, RedisServer

AT_ONCE = Retry(NoBackoff(), 0)


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True, connect_timeout=5)


def test_redis_is_empty_and_wants_its_password(redis_server: RedisServer, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        client.set("left", "by this test")
    with redis.Redis(port=redis_server.port, retry=AT_ONCE) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()


def test_redis_is_empty_again(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0


def test_each_test_has_a_database_of_its_own(postgres_server: PostgresServer, postgres_url: str) -> None:
    other = postgres_server.create_database("other")
    with connect(postgres_url) as here, connect(other) as there:
        here.execute("CREATE TABLE mine (n int)")
        assert there.execute("SELECT to_regclass('mine')").fetchone() == (None,)
    postgres_server.drop_database("other")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        connect(other)


def test_redis_keeps_what_it_answered_over_a_kill(start_redis: Callable[[], RedisServer]) -> None:
    server = start_redis()
    with redis.Redis.from_url(server.url) as client:
        client.set("kept", "yes")
    server.kill()
    with redis.Redis.from_url(server.url, retry=AT_ONCE) as client, pytest.raises(redis.ConnectionError):
        client.ping()
    server.restart()
    with redis.Redis.from_url(server.url) as client:
        assert client.get("kept") == b"yes"


def test_postgres_keeps_what_it_committed_over_a_kill(start_postgres: Callable[[], PostgresServer]) -> None:
    server = start_postgres()
    with connect(server.create_database("kept")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
        server.kill()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    server.restart()
    with connect(server.database_url("kept")) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (1,)


@pytest.mark.parametrize("end", ["stop", "kill"])
@pytest.mark.parametrize("start", ["start_redis", "start_postgres"])
def test_nothing_is_left_of_a_closed_server(request: pytest.FixtureRequest, start: str, end: str) -> None:
    server: Server = request.getfixturevalue(start)()
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    family = [process, *process.children(recursive=True)]
    if end == "kill":
        server.kill()
    server.close()
    assert not [member for member in family if member.is_running()]
    assert not server.directory.exists()
    server.close()


def test_a_taken_port_is_exchanged_for_another(
    start_redis: Callable[[], RedisServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = start_redis()
    ports = iter([first.port, servers.free_port()])
    monkeypatch.setattr(servers, "free_port", lambda: next(ports))
    assert start_redis().port != first.port


def test_a_server_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    server = RedisServer()
    monkeypatch.setattr(RedisServer, "command", property(lambda _: ["/bin/sh", "-c", "echo the disk is full; exit 1"]))
    with pytest.raises(ServerFailed, match="the disk is full"):
        server.start()
    server.close()


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_missing_programs_skip_a_test_and_fail_it_in_ci(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(services, "program_path", lambda name: "")
    with pytest.raises(outcome, match="initdb and postgres not found"):
        services.started(PostgresServer)


@pytest.mark.skipif(not servers._die_with_us(signal.SIGTERM), reason="setpriv (util-linux) is not installed")
@pytest.mark.parametrize("kind", ["RedisServer", "PostgresServer"])
def test_a_server_ends_with_tests_that_were_killed(kind: str) -> None:
    script = f"""
import time
from tests.services import {kind}, started
server = started({kind})
print(server.process.pid, server.directory, flush=True)
time.sleep(60)
"""
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout is not None
        pid, directory = tests.stdout.readline().split()
        server = psutil.Process(int(pid))
        tests.kill()
    psutil.wait_procs([server], timeout=20)
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE
    shutil.rmtree(directory)
