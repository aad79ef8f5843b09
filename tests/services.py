"""Real Redis and PostgreSQL servers of the tests' own: free ports, folders of their own, gone afterwards.

    redis_url, postgres_url           an emptied Redis and a new database, on servers that all tests share
    redis_server, postgres_server     those servers; do not kill these
    start_redis, start_postgres       called, start a server of this test's own, to kill and to restart
    pgbouncer, start_pgbouncer        a PgBouncer before the shared PostgreSQL; or before the one that is given

Where the programs are not installed, tests that ask for a server are skipped, and fail under CI=true. With
WETREAD_TEST_PGBOUNCER=1 every `postgres_url` leads through PgBouncer in transaction mode.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest

from tests.migrated import create_postgres, wants_schema
from tests.servers.pgbouncer_server import PgBouncerServer
from tests.servers.postgres_server import PostgresServer
from tests.servers.redis_server import RedisServer
from tests.servers.server import Server, program_path

__all__ = ["PgBouncerServer", "PostgresServer", "RedisServer"]

THROUGH_PGBOUNCER = os.environ.get("WETREAD_TEST_PGBOUNCER") == "1"

S = TypeVar("S", bound=Server)


def started(kind: type[S], *arguments: Server) -> S:
    """Return a started server; skip the test, or under CI fail it, where its programs are missing."""
    if missing := [program for program in kind.programs if not program_path(program)]:
        message = (
            f"{' and '.join(missing)} not found: install Redis, PostgreSQL, PgBouncer and Orthanc to run this test"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    server = kind(*arguments)
    try:
        return server.start()
    except BaseException:
        server.close()
        raise


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The Redis that tests share."""
    server = started(RedisServer)
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The PostgreSQL that tests share."""
    server = started(PostgresServer)
    yield server
    server.close()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The URL of an empty Redis."""
    redis_server.flush()
    return redis_server.url


@pytest.fixture(scope="session")
def pgbouncer(postgres_server: PostgresServer) -> Iterator[PgBouncerServer]:
    """The PgBouncer before the PostgreSQL that tests share."""
    server = started(PgBouncerServer, postgres_server)
    yield server
    server.close()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a new database, dropped afterwards: empty, or at the schema for fixtures that bring it there."""
    name = f"test_{time.monotonic_ns()}"
    at_schema = wants_schema(request)
    url = create_postgres(postgres_server, name) if at_schema else postgres_server.create_database(name)
    yield request.getfixturevalue("pgbouncer").before(url) if THROUGH_PGBOUNCER else url
    postgres_server.drop_database(name)


@pytest.fixture
def start_redis() -> Iterator[Callable[[], RedisServer]]:
    """Start a Redis of this test's own."""
    with factory(RedisServer) as start:
        yield start


@pytest.fixture
def start_postgres() -> Iterator[Callable[[], PostgresServer]]:
    """Start a PostgreSQL of this test's own."""
    with factory(PostgresServer) as start:
        yield start


@pytest.fixture
def start_pgbouncer() -> Iterator[Callable[[PostgresServer], PgBouncerServer]]:
    """Start a PgBouncer of this test's own before a PostgreSQL of its own."""
    with factory(PgBouncerServer) as start:
        yield start


@contextmanager
def factory(kind: type[S]) -> Iterator[Callable[..., S]]:
    servers: list[S] = []

    def start(*arguments: Server) -> S:
        servers.append(started(kind, *arguments))
        return servers[-1]

    try:
        yield start
    finally:
        for server in servers:
            server.close()
