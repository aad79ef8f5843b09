"""A screening that is stopped while it begins, and a root that cannot be looked into."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from schemas.errors import RootUnavailable, ServiceUnavailable
from schemas.states import RunState
from screening import run as screenings
from screening.order import RunOrder
from screening.run import Screening
from tests.program import films
from tests.tiny_model import publish_tiny_model
from wetread.settings import Settings, load_settings
from wetread.store.core.database import Database
from worker.identity import died_here


@pytest.fixture
def order(database: Database, tmp_path: Path) -> RunOrder:
    films(tmp_path / "archive", patients=3)
    digest = publish_tiny_model(database.url, tmp_path / "home")
    return RunOrder([str(tmp_path / "archive")], digest, "numpy", force=False, workers=1)


class Stopped:
    """Readers that are stopped while they start."""

    ended = 0

    def __init__(self, fault: BaseException) -> None:
        self.fault = fault

    def start(self) -> None:
        raise self.fault

    def watch(self, seconds: float) -> None:
        raise AssertionError(seconds)

    def stop(self) -> None:
        self.ended += 1


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), ServiceUnavailable("no broker")])
def test_readers_that_are_stopped_while_they_start_are_ended_and_the_run_says_so(
    monkeypatch: pytest.MonkeyPatch, database: Database, order: RunOrder, fault: BaseException
) -> None:
    readers = Stopped(fault)
    monkeypatch.setattr(screenings, "EmbeddedPool", lambda *_: readers)
    opened = Screening.open(database, load_settings(), order)
    with pytest.raises(type(fault)):
        opened.read_here(lambda _: None)
    assert readers.ended == 1
    assert opened.account().state == RunState.INTERRUPTED


def test_a_root_that_cannot_be_listed_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, database: Database, order: RunOrder
) -> None:
    def refuse(_path: bytes) -> None:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(RootUnavailable, match="Permission denied"):
        Screening.open(database, Settings(), order)


def test_of_two_nights_of_one_process_over_the_same_films_only_one_walks(database: Database, order: RunOrder) -> None:
    first, second = (Screening.open(database, load_settings(), order) for _ in range(2))
    assert first.opened.id == second.opened.id
    second._take_walk()
    assert not second.opened.walks, "the first one's thread walks, and would count what it passes over twice"
    first._take_walk()
    assert first.opened.walks, "its own walk, which it left half way, it takes up again"
    assert not died_here(first.me)
    assert died_here(first.me.replace(":", ":9999999", 1))
