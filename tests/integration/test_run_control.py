"""A program that starts, cancels and resumes runs without a command line."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.errors import UsageError
from schemas.states import RunState
from schemas.walk_rules import WalkRules
from screening.cancel import cancel_run
from screening.end_signals import AskedToEnd
from screening.order import RunOrder
from screening.resume import order_to_resume
from screening.run import Screening
from tests.tiny_model import publish_tiny_model
from web.run_starts import RunStarts
from wetread.settings import Settings, load_settings
from wetread.store.core.database import Database
from wetread.store.runs.accounts import RunAccount, run_account
from wetread.store.runs.lifecycle import set_state


@pytest.fixture
def order(database: Database, tmp_path: Path) -> RunOrder:
    archive = tmp_path / "archive"
    archive.mkdir()
    for name in ("a.png", "b.png", "c.txt"):
        (archive / name).write_bytes(b"any")
    beside = publish_tiny_model(database.url, tmp_path / "home", "other", seed=5)
    digest = publish_tiny_model(database.url, tmp_path / "home")
    rules = WalkRules(exclude=("*.txt",))
    return RunOrder((str(archive),), digest, "numpy", force=True, workers=1, shadow_digest=beside, rules=rules)


def filled(database: Database, order: RunOrder) -> tuple[int, int]:
    """Return the run and its shadow."""
    screening = Screening.open(database, load_settings(), order)
    screening.fill()
    assert screening.shadow is not None
    return screening.opened.id, screening.shadow.id


def refused(text: str) -> None:
    raise AssertionError(text)


class Idle:
    """Readers that read nothing."""

    def start(self) -> None:
        pass

    def watch(self, seconds: float) -> None:
        pass

    def stop(self) -> None:
        pass


def test_a_run_that_is_asked_to_end_is_left_so_that_it_can_go_on(
    database: Database, order: RunOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("screening.run.EmbeddedPool", lambda *_: Idle())
    asked, seen = threading.Event(), list[int]()
    screening = Screening.open(database, load_settings(), order, asked)

    def look(account: RunAccount) -> None:
        seen.append(account.id)
        asked.set()

    with pytest.raises(AskedToEnd):
        screening.read_here(look)
    assert seen == [screening.opened.id]
    assert screening.account().state == RunState.INTERRUPTED


def test_a_room_that_ends_in_the_walk_of_a_run_for_workers_leaves_it_interrupted(
    database: Database, order: RunOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel_run(database, filled(database, order)[0])
    walks = threading.Event()

    def long_walk(*_: object, stop: threading.Event, **__: object) -> None:
        walks.set()
        assert stop.wait(60), "nobody ended the walk"

    monkeypatch.setattr("screening.run.fill_run", long_walk)
    room = RunStarts(database, Settings(home=tmp_path / "home", broker_url="redis://127.0.0.1:1/0"))
    run = room.start(list(order.directories), "tiny", "numpy", force=True, shadow=None)
    assert walks.wait(60) and room.going == run
    room.close()
    with database.reading() as session:
        assert run_account(session, run).state == RunState.INTERRUPTED
    assert room.going is None


def test_what_shadows_a_run_is_cancelled_with_it_and_neither_is_twice(database: Database, order: RunOrder) -> None:
    run, shadow = filled(database, order)
    accounts = cancel_run(database, run)
    assert [(one.id, one.state, one.pending, one.cancelled, one.note) for one in accounts] == [
        (run, RunState.CANCELLED, 0, 2, "cancelled"),
        (shadow, RunState.CANCELLED, 0, 2, f"cancelled with run {run}"),
    ]
    with pytest.raises(UsageError, match=f"run {run} is cancelled: only a run that is not finished"):
        cancel_run(database, run)


def test_a_shadow_is_cancelled_alone(database: Database, order: RunOrder) -> None:
    run, shadow = filled(database, order)
    assert [one.id for one in cancel_run(database, shadow)] == [shadow]
    with database.writing() as session:
        assert set_state(session, run, RunState.PAUSED), "it is unfinished as before"


def test_a_cancelling_that_was_cut_off_is_taken_up_again(database: Database, order: RunOrder) -> None:
    run, shadow = filled(database, order)
    with database.writing() as session:
        for each in (run, shadow):
            set_state(session, each, RunState.CANCELLED)
    assert [(one.id, one.pending) for one in cancel_run(database, run)] == [(run, 0), (shadow, 0)]


def test_an_interrupted_run_and_its_shadow_go_on_by_the_rules_that_they_were_begun_with(
    database: Database, order: RunOrder
) -> None:
    run, shadow = filled(database, order)
    settings = load_settings()
    for asked in (run, shadow):
        resumed = order_to_resume(database, settings, asked, 3, refused)
        assert resumed == replace(order, directories=resumed.directories, workers=3, run=run)
        assert [Path(one).name for one in resumed.directories] == ["archive"]
    again = Screening.open(database, settings, order_to_resume(database, settings, run, 1, refused))
    assert (again.opened.id, again.opened.resumed) == (run, True)
    assert again.shadow is not None and again.shadow.id == shadow


def test_where_only_the_shadow_is_unfinished_a_new_run_carries_it_on(database: Database, order: RunOrder) -> None:
    run, shadow = filled(database, order)
    with database.writing() as session:
        set_state(session, run, RunState.FAILED)
    resumed = order_to_resume(database, load_settings(), shadow, 1, refused)
    assert (resumed.run, resumed.model_digest, resumed.shadow_digest) == (None, order.model_digest, order.shadow_digest)
    with pytest.raises(UsageError, match=f"run {run} is failed: only a run that is not finished can be resumed"):
        order_to_resume(database, load_settings(), run, 1, refused)
