"""A watch whose services go away for a moment, and one whose run another watch has taken."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import ServiceUnavailable, UsageError
from schemas.reasons import Reason
from schemas.states import RunKind, RunState
from screening import watch as film_watch
from screening import watch_runs, watch_states
from screening.watch import Watching
from screening.watch_order import WatchOrder
from screening.watch_runs import WatchedFiles, WatchRuns
from tests.chaos.films import draw_films
from tests.program import eventually
from tests.screened import rejected
from tests.tiny_model import publish_tiny_model
from wetread.clock import utc_now
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema
from wetread.store.images.recording import FoundFile
from wetread.store.roots.adding import root_ids
from wetread.store.runs.accounts import RunAccount, list_accounts
from wetread.store.runs.lifecycle import open_run, set_state
from wetread.store.work.leases import claim, next_batches, release
from wetread.store.work.settling import settle


class Idle:
    """Readers that read nothing."""

    def start(self) -> None:
        pass

    def watch(self, seconds: float) -> None:
        pass

    def stop(self) -> None:
        pass


class Watched:
    """A watch in a thread, over an empty inbox."""

    def __init__(self, folder: Path, threads: ThreadPoolExecutor, *, shadowed: bool = False) -> None:
        settings = Settings(batch_size=4)
        self.inbox, self.database, self.asked = folder / "in", Database(settings.database), threading.Event()
        self.inbox.mkdir()
        ensure_schema(self.database)
        self.shadow = publish_tiny_model(None, folder / "home", "other", seed=5) if shadowed else None
        self.digest = publish_tiny_model(None, folder / "home")
        with self.database.writing() as session:
            (self.root,) = root_ids(session, [bytes(self.inbox)])
        self.faults: list[Exception] = []
        order = WatchOrder({self.root: bytes(self.inbox)}, self.models, "numpy", 1, 0.1, 0.1, 60.0, False)
        self.ahead = timedelta(0)
        self.watching = Watching(
            self.database, settings, order, self.asked, lambda _: None, lambda: utc_now() + self.ahead
        )
        self.ended: Future[RunAccount] = threads.submit(self.watching.watch)

    def models(self) -> tuple[str, str | None]:
        if self.faults:
            raise self.faults.pop()
        return self.digest, self.shadow

    def runs(self) -> list[RunAccount]:
        with self.database.reading() as session:
            return list_accounts(session)

    def read_without_the_shadow(self) -> None:
        """Settle what waits as a worker does that lacks the shadow's model."""
        with self.database.writing() as session:
            (batch,) = next_batches(session, [run.id for run in self.runs() if run.shadow_of is None], 2)
            held = claim(session, batch, "w:1:1", 60.0)
            assert held is not None
            for rider in held.riders:
                release(session, rider)
            settle(session, held, [rejected(item, Reason.TRUNCATED) for item in held.items])


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """A watch, after its first walk. Parameter: whether a second model reads along."""
    monkeypatch.setattr(watch_runs, "EmbeddedPool", lambda *_: Idle())
    with ThreadPoolExecutor(1) as threads:
        opened = Watched(tmp_path, threads, shadowed=getattr(request, "param", False))
        try:
            eventually(lambda: opened.runs() and opened.watching.walks.is_whole, what="the first walk")
            yield opened
        finally:
            opened.asked.set()
    opened.database.dispose()


def test_a_service_that_is_away_as_the_day_ends_does_not_end_the_watch(watched: Watched) -> None:
    watched.faults.append(ServiceUnavailable("the database is away"))
    watched.ahead = timedelta(days=1)
    eventually(lambda: len(watched.runs()) == 2 or watched.ended.done(), what="the next day's run")
    assert not watched.ended.done()
    assert [run.state for run in watched.runs()] == [RunState.RUNNING, RunState.FINISHED]


def test_a_watch_whose_run_another_one_fills_says_so_instead_of_losing_films(watched: Watched) -> None:
    with watched.database.writing() as session:
        taken = open_run(
            session, [watched.root], watched.digest, "numpy", force=False, walker="other:1:1", dead=lambda _: True,
            kind=RunKind.WATCH,
        )  # fmt: skip
    assert taken.walks
    draw_films(watched.inbox, 1, seed=1)
    watched.watching.walks.soon(time.monotonic())
    with pytest.raises(UsageError, match="another watch of these directories"):
        watched.ended.result(30)
    assert watched.runs()[0].state == RunState.RUNNING, "it is the other's"


def test_films_that_have_not_stood_still_are_counted_at_the_end_and_left_to_the_same_command(watched: Watched) -> None:
    watched.watching._still.seconds = 600.0
    draw_films(watched.inbox, 3, seed=1)
    watched.watching.walks.soon(time.monotonic())
    eventually(lambda: len(watched.watching._still) == 3, what="the films seen")
    watched.asked.set()
    assert watched.ended.result(30).state == RunState.INTERRUPTED
    assert watched.watching.not_taken == 3


def test_films_that_come_all_at_once_are_recorded_in_slices(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded, record = list[int](), WatchRuns.record

    def counted(runs: WatchRuns, session: Any, root: int, files: Sequence[FoundFile], *, again: bool) -> WatchedFiles:
        recorded.append(len(files))
        return record(runs, session, root, files, again=again)

    monkeypatch.setattr(WatchRuns, "record", counted)
    monkeypatch.setattr(film_watch, "SLICE_FILES", 2)
    draw_films(watched.inbox, 5, seed=1)
    watched.watching.walks.soon(time.monotonic())
    eventually(lambda: watched.runs()[0].found == 5, what="the films recorded")
    assert max(recorded) <= 2


@pytest.mark.parametrize("watched", [True], indirect=True)
@pytest.mark.parametrize("paused", [True, False])
def test_a_shadow_that_nobody_reads_for_keeps_no_next_run_from_beginning(
    watched: Watched, paused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_films(watched.inbox, 1, seed=1)
    watched.watching.walks.soon(time.monotonic())
    eventually(lambda: [run.pending for run in watched.runs()] == [1, 1], what="the film recorded for both")
    watched.read_without_the_shadow()
    if paused:
        with watched.database.writing() as session:
            set_state(session, watched.runs()[0].id, RunState.PAUSED)
    else:
        monkeypatch.setattr(watch_states, "SHADOW_SECONDS", 0.2)
    watched.ahead = timedelta(days=1)
    eventually(lambda: len(watched.runs()) == 3, what="the next run")
    eventually(lambda: watched.runs()[0].found == 1, what="the next run's walk")
    later, shadow, first = watched.runs()
    assert (first.state, later.state) == (RunState.FINISHED, RunState.RUNNING)
    assert later.pending == 1, "the film is another since the first read it"
    assert (shadow.state, shadow.pending, shadow.shadow_of) == (RunState.RUNNING, 1, later.id), "it goes on beside it"
