"""PostgreSQL stopped and started again in the middle of a run: in order, and as by a lost machine."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.accounting import ask, assert_no_batch_half_written, assert_nothing_lost
from tests.chaos.conftest import QUICK_RECOVERY
from tests.chaos.scale import moments, times, ways
from tests.chaos.serving import seconds_until, settled, workers
from tests.chaos.table import record
from tests.program import eventually, with_model
from tests.servers.postgres_server import PostgresServer


def restart(server: PostgresServer, how: signal.Signals, away: float) -> None:
    """Stop as an administrator does ("fast"), at once ("immediate"), or by a kill of every process, and start."""
    if how == signal.SIGKILL:
        server.kill()
    else:
        assert server.process is not None
        server.process.send_signal(how)
        server.process.wait(60)
        server.process = None
    time.sleep(away)
    server.start()


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("way", ways("served"))
def test_a_database_that_restarts_leaves_no_batch_half_written_and_no_command_behind(
    way: str, tmp_path: Path, drawn: Path, redis_url: str, start_postgres: Callable[[], PostgresServer]
) -> None:
    moment, began = moments(f"postgres {way}"), time.monotonic()
    server = start_postgres()
    program = with_model(tmp_path / "home", WETREAD_DATABASE_URL=server.create_database("chaos"), **QUICK_RECOVERY)
    if way == "served":
        program.environment["WETREAD_BROKER_URL"] = redis_url
    back = []
    with workers(program, 2 if way == "served" else 0):
        screen = program.start("screen", drawn, "--workers", "2", "--json")
        eventually(lambda: ask(program, "SELECT 1 FROM runs"), what="the run")
        kinds = [signal.SIGINT, signal.SIGQUIT, signal.SIGKILL, signal.SIGINT, signal.SIGQUIT]
        for how in moment.sample(kinds, times(5, 1)):
            time.sleep(moment.uniform(0, times(15, 1)))
            restart(server, how, moment.choice([0, 1, 3]))
            assert_no_batch_half_written(program)
            before = settled(program)
            goes_on = lambda: settled(program) > before or screen.poll() is not None  # noqa: B023, E731 - called now
            back.append(seconds_until(goes_on, limit=60, what="reading on"))
        _, said = screen.communicate(timeout=times(2400, 120))
    assert screen.returncode == 0, said
    assert "Traceback" not in said
    if way == "embedded":
        assert "waiting up to" in said, "its user is told what it waits for"
    accounts = assert_nothing_lost(program, drawn)
    assert accounts.runs == 1
    record(
        "4", way, f"PostgreSQL stopped and started again {len(back)} times: fast, immediate, killed",
        f"{accounts.done} done once each, no batch half written; reading on after {max(back):.0f} s at most; "
        "`screen` waited and ended with 0",
        time.monotonic() - began,
    )  # fmt: skip
