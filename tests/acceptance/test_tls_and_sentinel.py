"""A screening from end to end where every connection is of TLS, and where sentinels name the broker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
import redis

from tests.chaos.accounting import assert_nothing_lost
from tests.chaos.serving import finished, said, settled, start_logged, workers
from tests.program import eventually, films, kill_group, with_model
from tests.servers.redis_server import RedisServer
from tests.servers.sentinel_server import SentinelServer
from tests.servers.server import Server
from tests.servers.tls_servers import TlsPostgres, TlsRedis
from tests.services import started

QUICK = {"WETREAD_BATCH_SIZE": "2", "WETREAD_LEASE_SECONDS": "3", "WETREAD_SWEEP_SECONDS": "1"}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    films(tmp_path / "archive", patients=12)
    (tmp_path / "archive" / "manifest.csv").unlink()  # it is no film
    return tmp_path / "archive"


@pytest.fixture
def servers() -> Iterator[ExitStack]:
    """What closes the servers that a test starts."""
    with ExitStack() as stack:
        yield stack


def serving(servers: ExitStack, kind: type[Server], *arguments: Server) -> Server:
    server = started(kind, *arguments)
    servers.callback(server.close)
    return server


def test_a_screening_whose_every_connection_is_of_tls(servers: ExitStack, archive: Path, tmp_path: Path) -> None:
    broker, database = serving(servers, TlsRedis), serving(servers, TlsPostgres)
    assert isinstance(database, TlsPostgres)
    database.create_database("wetread")
    plain = database.database_url("wetread")
    program = with_model(tmp_path / "home", **QUICK, WETREAD_DATABASE_URL=database.checked_url("wetread"))
    program.environment["WETREAD_BROKER_URL"] = broker.url
    with workers(program, 1):
        assert program.json("screen", archive)["done"] == 12
        looked = program.json("doctor", code=0)
        assert {one["state"] for one in looked if one["what"] in ("database", "broker", "workers")} == {"ok"}
        ready = program.run("health", "worker", "--ready")
        assert ready.returncode == 0, ready.stderr
        with psycopg.connect(plain.replace("+psycopg", "")) as connection:
            kinds = connection.execute(
                "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname = 'wetread'"
            ).fetchall()
        assert kinds == [(True,)]
    assert_nothing_lost(program, archive)

    for setting, url, cure in (
        ("WETREAD_BROKER_URL", broker.url.partition("?")[0], "ssl_ca_certs"),
        ("WETREAD_BROKER_URL", broker.url.partition("?")[0].replace("rediss", "redis"), "TLS"),
        ("WETREAD_DATABASE_URL", f"{plain}?sslmode=disable", "no encryption"),
        ("WETREAD_DATABASE_URL", f"{plain}?sslmode=verify-full&sslrootcert=/nowhere", "root certificate"),
    ):
        program.environment |= {"WETREAD_DATABASE_URL": plain, "WETREAD_BROKER_URL": broker.url} | {setting: url}
        ended = program.run("worker")
        assert ended.returncode == 4, ended.stderr
        assert cure in ended.stderr
        assert "Traceback" not in ended.stderr


def test_a_screening_over_sentinels_whose_master_is_lost(servers: ExitStack, archive: Path, tmp_path: Path) -> None:
    master, replica = serving(servers, RedisServer), serving(servers, RedisServer)
    assert isinstance(master, RedisServer) and isinstance(replica, RedisServer)
    with redis.Redis.from_url(replica.url) as client:
        client.config_set("masterauth", master.password)
        client.replicaof("127.0.0.1", str(master.port))
    sentinel = serving(servers, SentinelServer, master)
    assert isinstance(sentinel, SentinelServer)
    eventually(lambda: int(sentinel.master()["num-slaves"]) == 1, what="that the sentinel knows the replica")
    database = f"sqlite:///{tmp_path / 'home' / 'results.db'}"
    program = with_model(tmp_path / "home", **QUICK, WETREAD_DATABASE_URL=database)
    program.environment["WETREAD_BROKER_URL"] = sentinel.url
    with workers(program, 1) as started_workers:
        assert program.json("screen", archive)["done"] == 12
        beat = start_logged(program, "beat")
        try:
            eventually(lambda: program.run("health", "beat").returncode == 0, what="the beat's start")
            master.kill()
            eventually(lambda: int(sentinel.master()["port"]) == replica.port, what="that the replica is the master")
            films(archive / "after", patients=12, seed=9)
            (archive / "after" / "manifest.csv").unlink()
            assert program.json("screen", archive)["done"] == 12
            assert settled(program) == 24
            assert beat.poll() is None
        finally:
            if beat.poll() is None:
                kill_group(beat)
        assert finished(program)
        assert all(worker.poll() is None for worker in started_workers), "no worker ended"
    assert "Traceback" not in said(program)
    assert_nothing_lost(program, archive)
