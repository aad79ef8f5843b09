"""A failover: the primary is lost, and its standby, which takes no writes, is promoted ten seconds later."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.chaos.accounting import ask
from tests.chaos.postgres_site import screening
from tests.chaos.scale import moments, times, ways
from tests.chaos.table import record
from tests.program import eventually
from tests.servers.postgres_server import PostgresServer

STANDBY_SECONDS = 10.0


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("way", ways("embedded"))
def test_a_standby_that_is_promoted_is_waited_for(
    way: str, tmp_path: Path, drawn: Path, redis_url: str, start_postgres: Callable[[], PostgresServer]
) -> None:
    moment, began = moments(f"failover {way}"), time.monotonic()
    primary = start_postgres()
    primary.create_database("chaos")
    standby = primary.standby()
    # With the last setting nobody speaks to the standby; without it writes are refused. Both are to be waited for.
    chooses = "&target_session_attrs=read-write" if way == "served" else ""
    url = f"postgresql+psycopg://postgres@/chaos?host=127.0.0.1,127.0.0.1&port={primary.port},{standby.port}{chooses}"
    try:
        with screening(way, tmp_path / "home", drawn, url, redis_url) as site:
            time.sleep(moment.uniform(0, times(10, 1)))
            eventually(lambda: has_run(standby), what="the run on the standby")
            primary.kill()
            time.sleep(STANDBY_SECONDS)
            assert site.screen.poll() is None, "it waits"
            with psycopg.connect(standby.url.replace("+psycopg", ""), autocommit=True) as there:
                there.execute("SELECT pg_promote()")
            site.program.environment["WETREAD_DATABASE_URL"] = standby.database_url("chaos")  # for our own questions
            site.reads_on()
        accounts = site.ended_well()
        assert ask(site.program, "SELECT pg_is_in_recovery()") == [(False,)]
        if way == "embedded":
            assert "waiting up to" in site.said, "its user is told what it waits for"
    finally:
        standby.close()
    hosts = "its URL names both, and target_session_attrs=read-write" if chooses else "its URL names both"
    record(
        "19", way, f"a failover: PostgreSQL killed, its standby promoted {STANDBY_SECONDS:.0f} s later; {hosts}",
        f"{accounts.done} done once each; reading on {max(site.back):.0f} s after the promotion; `screen` waited and "
        "ended with 0",
        time.monotonic() - began,
    )  # fmt: skip


def has_run(standby: PostgresServer) -> bool:
    with psycopg.connect(standby.database_url("chaos").replace("+psycopg", "")) as there:
        return there.execute("SELECT 1 FROM runs").fetchone() is not None
