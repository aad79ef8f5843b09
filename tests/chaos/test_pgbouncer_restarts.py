"""Through PgBouncer in transaction mode, which is stopped and started again in the middle of a run."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.accounting import assert_no_batch_half_written
from tests.chaos.postgres_site import screening
from tests.chaos.scale import moments, times, ways
from tests.chaos.table import record
from tests.services import PgBouncerServer, PostgresServer


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("way", ways("served"))
def test_a_bouncer_that_restarts_costs_nothing(
    way: str,
    tmp_path: Path,
    drawn: Path,
    redis_url: str,
    start_postgres: Callable[[], PostgresServer],
    start_pgbouncer: Callable[[PostgresServer], PgBouncerServer],
) -> None:
    moment, began = moments(f"bouncer {way}"), time.monotonic()
    server = start_postgres()
    bouncer = start_pgbouncer(server)
    url = bouncer.before(server.create_database("chaos"))
    with screening(way, tmp_path / "home", drawn, url, redis_url) as site:
        for how in moment.sample([signal.SIGTERM, signal.SIGKILL, signal.SIGTERM, signal.SIGKILL], times(4, 1)):
            time.sleep(moment.uniform(0, times(10, 1)))
            if how == signal.SIGKILL:
                bouncer.kill()
            else:
                bouncer.stop()
            time.sleep(moment.choice([0, 1, 3]))
            bouncer.start()
            assert_no_batch_half_written(site.program)
            site.reads_on()
    accounts = site.ended_well()
    record(
        "20", way, f"through PgBouncer in transaction mode, which is stopped or killed {len(site.back)} times",
        f"{accounts.done} done once each, no batch half written; reading on after {max(site.back):.0f} s at most",
        time.monotonic() - began,
    )  # fmt: skip
