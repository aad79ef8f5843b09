"""Connections to PostgreSQL that are cut after COMMIT was sent: the answer to a claim or a settlement is lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.accounting import ask, assert_nothing_lost
from tests.chaos.conftest import QUICK_RECOVERY
from tests.chaos.films import draw_films
from tests.chaos.scale import FULL, SEED, moments, times
from tests.chaos.serving import finished, said, start_logged, workers
from tests.chaos.table import record
from tests.program import Program, eventually, with_model
from tests.servers.cutting_proxy import CuttingProxy
from tests.servers.postgres_server import PostgresServer

pytestmark = pytest.mark.timeout(1800)

CUTS = times(200, 6)
BATCH, BATCHES = 2, CUTS * 3 // 2
CUT = 0.8
"""Which part of the answers is cut, until there were enough. Of a batch's settlement one answer can be, so that the
last ones are cut whatever the dice say where there would be too few."""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """More batches than answers of each kind are cut."""
    draw_films(tmp_path / "archive", BATCH * BATCHES, seed=SEED)
    return tmp_path / "archive"


@pytest.mark.parametrize("way", ["embedded", "served"])
def test_a_lost_answer_costs_no_film_and_is_nobodys_death(
    way: str, tmp_path: Path, archive: Path, postgres_url: str, postgres_server: PostgresServer, redis_url: str
) -> None:
    moment, began, left = moments(f"cut answers {way}"), time.monotonic(), {"claim": CUTS, "settle": CUTS}
    still_to_come = {"claim": BATCHES, "settle": BATCHES}  # at the least

    def cut(kind: str) -> bool:
        still_to_come[kind] -= 1
        if left[kind] and (moment.random() < CUT or still_to_come[kind] < left[kind]):
            left[kind] -= 1
            return True
        return False

    # No lease is to run out on a slow machine: a lost answer is no matter of time.
    environment = QUICK_RECOVERY | {"WETREAD_BATCH_SIZE": str(BATCH), "WETREAD_LEASE_SECONDS": "60"}
    if way == "served":
        environment["WETREAD_BROKER_URL"] = redis_url
    program = with_model(tmp_path / "home", WETREAD_DATABASE_URL=postgres_url, **environment)
    with CuttingProxy(postgres_server.port, cut) as proxy:
        cut_off = program.environment | {
            "WETREAD_DATABASE_URL": postgres_url.replace(f":{postgres_server.port}/", f":{proxy.port}/")
        }
        run_through(Program(program.home, cut_off, program.patience), way, archive)
    assert proxy.cuts == {"claim": CUTS, "settle": CUTS}, "as many as were to be cut"
    accounts = assert_nothing_lost(program, archive)
    assert accounts.kills == 0, "nobody died"
    assert ask(program, "SELECT max(attempts) FROM work_items") == [(0,)], "and no film was suspected"
    for patience in ("died", "waiting up to", "could not be settled", "lease lost"):
        assert patience not in said(program), "an answer is asked for again at once"
    record(
        "15", way, f"the answer to COMMIT cut off, of {CUTS} claims and of {CUTS} settlements",
        f"{accounts.done} done once each, no death counted, none dead", time.monotonic() - began,
    )  # fmt: skip


def run_through(program: Program, way: str, archive: Path) -> None:
    if way == "embedded":
        assert start_logged(program, "screen", archive, "--workers", 2).wait(times(1500, 100)) == 0, said(program)
        return
    with workers(program, 1, concurrency=2):
        program.json("submit", archive)
        eventually(lambda: finished(program), seconds=times(1500, 100), what="the run's end")


@pytest.mark.skipif(FULL, reason="the quick form shows it")
def test_the_proxy_cuts_what_was_committed(postgres_url: str, postgres_server: PostgresServer) -> None:
    """The harness itself: what the client does not know of is in the database."""
    import psycopg

    with CuttingProxy(postgres_server.port, lambda _: True) as proxy:
        url = postgres_url.replace("+psycopg", "").replace(f":{postgres_server.port}/", f":{proxy.port}/")
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE batches (id int)")
            connection.commit()  # of no kind: it goes through
            connection.execute("INSERT INTO batches VALUES (1)")
            connection.execute("SELECT id FROM batches FOR UPDATE OF batches")
            with pytest.raises(psycopg.OperationalError):
                connection.commit()
        assert proxy.cuts == {"claim": 1}
        # While the proxy is there: it tells the client first, and the server then.
        with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
            eventually(lambda: connection.execute("SELECT id FROM batches").fetchall() == [(1,)], what="the commit")


@pytest.mark.parametrize("way", ["embedded", "served"])
def test_a_database_that_is_away_for_longer_than_a_lease_makes_nobody_dead(
    way: str, tmp_path: Path, drawn: Path, redis_url: str, start_postgres: Callable[[], PostgresServer]
) -> None:
    """Every lease has run out when it is back, and whoever asks first finds batches that nobody seems to hold."""
    began, server = time.monotonic(), start_postgres()
    program = with_model(tmp_path / "home", WETREAD_DATABASE_URL=server.create_database("away"), **QUICK_RECOVERY)
    lease = float(QUICK_RECOVERY["WETREAD_LEASE_SECONDS"])
    if way == "served":
        program.environment["WETREAD_BROKER_URL"] = redis_url
    with workers(program, 1 if way == "served" else 0, concurrency=2):
        screen = start_logged(program, "screen", drawn, "--workers", 2)
        for _ in range(times(10, 1)):
            eventually(lambda: ask(program, "SELECT 1 FROM batches WHERE owner IS NOT NULL"), what="work in hand")
            server.kill()
            time.sleep(lease + 1.0)
            server.start()
        assert screen.wait(times(3000, 100)) == 0, said(program)
    accounts = assert_nothing_lost(program, drawn)
    assert (accounts.kills, "died" in said(program)) == (0, False), "nobody died"
    record(
        "15", way, f"PostgreSQL away {times(10, 1)} times for longer than a lease",
        f"{accounts.done} done once each, no death counted, none dead", time.monotonic() - began,
    )  # fmt: skip
