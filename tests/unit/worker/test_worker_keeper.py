"""The keeper of a lease goes on when a renewal fails, whatever the fault of the database is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from schemas.errors import ServiceUnavailable, WetreadError
from wetread.settings import Settings
from wetread.store.work.leases import Claim
from worker.lease_watchdog import LeaseKeeper


class Failing:
    """A database that does not let anyone write."""

    def __init__(self, fault: Exception) -> None:
        self.fault = fault
        self.tried_again = threading.Event()
        self._tried = False

    @contextmanager
    def writing(self, _: object) -> Iterator[None]:
        if self._tried:
            self.tried_again.set()
        self._tried = True
        raise self.fault
        yield


@pytest.mark.parametrize(
    "fault",
    [
        ServiceUnavailable("it is away"),
        WetreadError("cannot write: the disk is full"),
        RuntimeError("nobody foresaw it"),
    ],
)
def test_a_renewal_that_failed_is_tried_again(fault: Exception) -> None:
    database = Failing(fault)
    held = Claim(1, 1, "me:1:1", 1, False, "a" * 64, "numpy", False, "d" * 64, items=())
    settings = Settings(lease_seconds=0.03, image_seconds=600.0)
    with LeaseKeeper(database, held, settings):  # type: ignore[arg-type]  # not a real one
        assert database.tried_again.wait(20.0)


class Waiting:
    """A database that nobody needs."""

    @contextmanager
    def writing(self) -> Iterator[None]:
        raise ServiceUnavailable("away")
        yield


def test_the_time_that_a_file_server_takes_is_no_images(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def end(keeper: LeaseKeeper, *_: object) -> None:
        keeper._ended.set()
        ended.set()

    monkeypatch.setattr(LeaseKeeper, "_end_this_process", end)
    held = Claim(1, 1, "me:1:1", 1, False, "a" * 64, "numpy", False, "d" * 64, items=())
    settings = Settings(lease_seconds=60.0, image_seconds=0.2)
    with LeaseKeeper(Waiting(), held, settings) as keeper:  # type: ignore[arg-type]  # not a real one
        with keeper.waiting_for_files():
            assert not ended.wait(1.0)
        assert ended.wait(20.0), "and afterwards it is an image's again"
