"""A sweep that fails is followed by the next, in beat and in a worker, whatever the fault was."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from producer import beat
from schemas.errors import ServiceUnavailable, WetreadError
from wetread.settings import Settings
from wetread.store.core.database import Database
from worker import deaf_restart, service


def serve(settings: Settings, database: Database, rung: Callable[[], bool]) -> None:
    unused: Any = None  # the ring is not a real one
    minder = service.Minder(database, unused, settings, 1, deaf_restart.Hearing(database, unused, settings))
    minder.start()
    assert rung()
    minder.stop()


def keep_time(settings: Settings, _: Database, rung: Callable[[], bool]) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=beat.keep_time, args=(settings, stop))
    thread.start()
    try:
        assert rung()
    finally:
        stop.set()
        thread.join(20)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(
    "fault",
    [
        ServiceUnavailable("it is away"),
        WetreadError("cannot write: the disk is full"),
        RuntimeError("nobody foresaw it"),
    ],
)
@pytest.mark.parametrize("process", [keep_time, serve])
def test_a_sweep_that_failed_is_followed_by_another(
    monkeypatch: pytest.MonkeyPatch,
    database: Database,
    process: Callable[[Settings, Database, Callable[[], bool]], None],
    fault: Exception,
) -> None:
    sweeps = 0
    second = threading.Event()

    def ring(*_: Any) -> int:
        nonlocal sweeps
        sweeps += 1
        if sweeps == 1:
            raise fault
        second.set()
        return 0

    deeds: dict[str, Any] = {"ring_waiting": ring, "make_app": lambda _: None, "queue_length": lambda *_: 0}
    for house in (beat, deaf_restart):
        for name in deeds.keys() & vars(house).keys():
            monkeypatch.setattr(house, name, deeds[name])
    settings = Settings.model_validate(
        {"database_url": database.url, "broker_url": "redis://127.0.0.1:1/0", "sweep_seconds": 0.05}
    )  # a broker that nobody asks: whoever rings is ours
    process(settings, database, lambda: second.wait(10))
