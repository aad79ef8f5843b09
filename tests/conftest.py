"""What every test has: settings of its own, the servers of tests/services.py, and the markers they imply."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from wetread.settings import load_settings

pytest_plugins = ["tests.services"]

settings.register_profile("wetread", settings(), deadline=None)  # how long an example takes is the machine's doing
settings.load_profile("wetread")

SERVER_FIXTURES = {
    "redis_url", "redis_server", "start_redis", "postgres_url", "postgres_server", "start_postgres", "pgbouncer",
    "start_pgbouncer",
}  # fmt: skip


def pytest_configure() -> None:
    """Let programs that tests start hear Ctrl-C: where the tests run in the background, shells have it ignored."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses a server as `service`, so that `-m "not service"` leaves it out."""
    for item in items:
        if SERVER_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.service)


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the person who runs the tests reaches them, and no test reaches that person's home."""
    for name in os.environ:
        if name.startswith("WETREAD_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("WETREAD_HOME", str(tmp_path / "home"))
    load_settings.cache_clear()
    structlog.reset_defaults()  # a command that an earlier test called in this process set its own


@pytest.fixture(autouse=True)
def ended_by_nobody_but_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test calls in this process leaves nothing here that ends it in a later test.

    A command leaves a thread that ends the process at a Ctrl-C; a sign of life that is given once leaves one that ends
    it ten minutes later.
    """
    monkeypatch.setattr("wetread.liveness.STANDS_STILL_SECONDS", 1e6)
    monkeypatch.setattr("cli.main.watch_interrupts", lambda: None)
    monkeypatch.setattr("cli.main.end_if_interrupted", lambda _code: None)
