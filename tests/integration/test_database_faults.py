"""Every fault of PostgreSQL has a name: what is missing, refused or away is told apart."""

from __future__ import annotations

import time

import psycopg
import pytest
from sqlalchemy import text

from schemas.errors import DatabaseFault, RightsMissing, ServiceUnavailable
from tests.servers.postgres_server import PostgresServer
from tests.servers.server import free_port
from wetread.store.core.database import Database


@pytest.mark.parametrize(
    ("statement", "kind", "said"),
    [
        ("SELECT * FROM nothing", ServiceUnavailable, r"wetread's tables .* backup is restored"),
        ("SELECT nothing FROM (VALUES (1)) AS t(n)", ServiceUnavailable, "wetread's tables"),
        ("SELECT 'a'::int", DatabaseFault, "22P02"),
        ("SELECT 1 / 0", DatabaseFault, "22012"),
        ("INSERT INTO one VALUES (1)", DatabaseFault, "UniqueViolation"),
        ("SELECT 1 UNION SELECT", DatabaseFault, "42601"),
        ("SELECT pg_terminate_backend(pg_backend_pid())", ServiceUnavailable, "terminating connection"),
    ],
)
def test_every_fault_has_a_name(statement: str, kind: type[Exception], said: str, postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.writing() as session:
        session.execute(text("CREATE TABLE one (n int PRIMARY KEY)"))
        session.execute(text("INSERT INTO one VALUES (1)"))
    with pytest.raises(kind, match=said), database.writing() as session:
        session.execute(text(statement))
    database.dispose()


def test_a_pool_without_a_free_connection_is_a_service_that_is_away(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(postgres_url)
    monkeypatch.setattr(database._engine.pool, "_timeout", 0.2)
    monkeypatch.setattr(database._engine.pool, "_max_overflow", 0)
    with database.reading() as one, database.reading() as two:
        one.execute(text("SELECT 1"))
        two.execute(text("SELECT 1"))
        with pytest.raises(ServiceUnavailable, match="QueuePool"), database.reading() as third:
            third.execute(text("SELECT 1"))
    database.dispose()


def test_nobody_there_is_said_at_once() -> None:
    began = time.monotonic()
    with (
        pytest.raises(ServiceUnavailable),
        Database(f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/none").reading() as session,
    ):
        session.execute(text("SELECT 1"))
    assert time.monotonic() - began < 3


def test_a_standby_is_waited_for_and_a_role_that_may_only_read_is_not(postgres_server: PostgresServer) -> None:
    standby = postgres_server.standby()
    try:
        database = Database(standby.url)
        with pytest.raises(ServiceUnavailable, match="found a standby"), database.writing() as session:
            session.execute(text("CREATE TABLE refused (n int)"))
        with psycopg.connect(standby.url.replace("+psycopg", ""), autocommit=True) as there:
            there.execute("SELECT pg_promote()")
        with database.writing() as session:
            session.execute(text("CREATE TABLE taken (n int)"))
            session.execute(text("ALTER ROLE postgres SET default_transaction_read_only = on"))
        database.dispose()
        with pytest.raises(RightsMissing, match="read-only transaction"), database.writing() as session:
            session.execute(text("CREATE TABLE refused (n int)"))
        database.dispose()
    finally:
        standby.close()
