"""PostgreSQL that hangs: every process of it is stopped (SIGSTOP), takes what is sent to it, and answers nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.chaos.postgres_site import screening
from tests.chaos.scale import moments, times, ways
from tests.chaos.table import record
from tests.servers.postgres_server import PostgresServer

GIVEN_UP_SECONDS = 15
"""What docs/operations.md says of a command that asks the database once."""


def stop_all(server: PostgresServer) -> list[psutil.Process]:
    assert server.process is not None
    parent = psutil.Process(server.process.pid)
    members = [parent, *parent.children(recursive=True)]
    for member in members:
        member.suspend()
    return members


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("way", ways("embedded"))
def test_a_database_that_hangs_is_waited_for(
    way: str, tmp_path: Path, drawn: Path, redis_url: str, start_postgres: Callable[[], PostgresServer]
) -> None:
    moment, began = moments(f"hangs {way}"), time.monotonic()
    server, longest, asked = start_postgres(), 0.0, 0.0
    with screening(way, tmp_path / "home", drawn, server.create_database("chaos"), redis_url) as site:
        for number in range(times(4, 1)):
            time.sleep(moment.uniform(0, times(10, 1)))
            hangs = moment.uniform(*times((2, 40), (14, 15)))
            members, stopped_at = stop_all(server), time.monotonic()
            try:
                if number == 0:
                    status = site.program.run("status", "--json", timeout=60)
                    asked = time.monotonic() - stopped_at
                    assert status.returncode == 4, status.stderr
                    assert "Traceback" not in status.stderr
                time.sleep(max(0.0, stopped_at + hangs - time.monotonic()))
            finally:
                for member in members:
                    with suppress(psutil.NoSuchProcess):
                        member.resume()
            longest = max(longest, time.monotonic() - stopped_at)
            site.reads_on()
    accounts = site.ended_well()
    assert asked < GIVEN_UP_SECONDS + 20, "its start on a machine with other work included"
    record(
        "18", way, f"PostgreSQL hangs (SIGSTOP) {len(site.back)} times, for {longest:.0f} s at most, and comes back",
        f"{accounts.done} done once each; `status` gave up after {asked:.0f} s with exit 4; reading on "
        f"{max(site.back):.0f} s after it came back at most",
        time.monotonic() - began,
    )  # fmt: skip
