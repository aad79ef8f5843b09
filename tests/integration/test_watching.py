"""A watch in this process: the change of day, lost news, films that the world kept back, a root that comes back."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from schemas.states import RunState
from screening.watch import Watching
from screening.watch_order import WatchOrder
from tests.chaos.films import draw_films
from tests.program import eventually
from tests.tiny_model import publish_tiny_model
from wetread.clock import utc_now
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.roots.adding import resolved_roots, root_ids
from wetread.store.runs.accounts import RunAccount, list_accounts

SELDOM = 3600.0
"""Seconds between walks: none but the first comes by itself."""


class Site:
    """An inbox that is watched, and a clock that the test sets."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.inbox, self.ahead = folder / "in", timedelta(0)
        self.inbox.mkdir()
        self.films = [folder / "drawn" / path for path in draw_films(folder / "drawn", 6, seed=3)]
        self.digest = publish_tiny_model(None, folder / "home")
        self.settings = Settings.model_validate(settings)
        self.database = Database(self.settings.database)
        with self.database.writing() as session:
            (path,) = resolved_roots([str(self.inbox)])
            self.roots = {root_ids(session, [path])[0]: path}
        self.watch: Watching

    @contextmanager
    def watched(self, *, walk_seconds: float = SELDOM, listens: bool = True) -> Iterator[None]:
        asked, failed = threading.Event(), list[BaseException]()
        order = WatchOrder(self.roots, lambda: (self.digest, None), "numpy", 1, 0.1, 0.2, walk_seconds, listens)
        self.watch = Watching(
            self.database, self.settings, order, asked, lambda _: None, lambda: utc_now() + self.ahead
        )

        def watch() -> None:
            try:
                self.watch.watch()
            except BaseException as error:  # noqa: BLE001 - the test's own thread is to see it
                failed.append(error)

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            asked.set()
            thread.join()
            self.database.dispose()
        assert failed == []

    def runs(self) -> list[RunAccount]:
        with self.database.reading() as session:
            return list_accounts(session)[::-1]

    def drop(self, film: int) -> None:
        shutil.copy2(self.films[film], self.inbox)

    def until_done(self, *done: int) -> None:
        eventually(lambda: [run.done for run in self.runs()] == list(done), what=f"runs with {done} films read")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_after_midnight_the_next_days_run_begins_and_the_one_before_ends(site: Site) -> None:
    site.drop(0)
    with site.watched():
        site.until_done(1)
        site.ahead = timedelta(days=1)
        site.until_done(1, 0)
        site.drop(1)
        site.until_done(1, 1)
    assert [(run.state, run.found, run.skipped) for run in site.runs()] == [
        (RunState.FINISHED, 1, 0), (RunState.FINISHED, 2, 1)
    ]  # fmt: skip


def test_after_lost_news_a_walk_finds_what_was_not_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with site.watched():
        eventually(lambda: site.runs() and site.watch.walks.is_whole, what="the end of the first walk")
        changes = site.watch._changes
        assert changes is not None
        deaf = threading.Event()
        real = changes._files
        monkeypatch.setattr(changes, "_files", lambda *told: deaf.set() or iter(()))
        site.drop(0)
        assert deaf.wait(30), "the kernel's news of it is lost"
        monkeypatch.setattr(changes, "_files", real)
        assert site.runs()[0].found == 0
        changes.lost = True
        site.until_done(1)


def test_a_film_that_workers_did_not_see_is_tried_again_by_the_next_walk(tmp_path: Path) -> None:
    late = tmp_path / "late"  # the same root, as the workers' machine sees it: some moments behind
    late.mkdir()
    site = Site(tmp_path, root_map={str(tmp_path / "in"): str(late)})
    shutil.copy2(site.films[1], late)
    site.drop(0)
    site.drop(1)
    with site.watched(walk_seconds=0.5, listens=False):
        eventually(lambda: site.runs() and site.runs()[0].rejected_reasons == {"vanished": 1}, what="a rejection")
        shutil.copy2(site.films[0], late)
        site.until_done(2)
    (run,) = site.runs()
    assert (run.state, run.found, run.rejected) == (RunState.FINISHED, 2, 0)


def test_a_root_that_is_mounted_anew_is_waited_for_and_watched_again(site: Site) -> None:
    site.drop(0)
    with site.watched():
        site.until_done(1)
        eventually(lambda: site.watch.walks.is_whole, what="the end of the first walk")
        site.inbox.rename(site.inbox.with_name("away"))
        eventually(lambda: not site.watch.walks.is_whole, what="the root is missed")
        shutil.copytree(site.inbox.with_name("away"), site.inbox)  # another directory, with the same films
        site.drop(1)
        site.until_done(2)
        eventually(lambda: site.watch.walks.is_whole, what="the end of the walk")
        site.drop(2)
        site.until_done(3)
    assert [run.state for run in site.runs()] == [RunState.FINISHED]
    assert os.stat(site.inbox).st_ino != os.stat(site.inbox.with_name("away")).st_ino


def test_a_root_that_only_the_workers_miss_pauses_the_run_until_they_see_it(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    site = Site(tmp_path, root_map={str(tmp_path / "in"): str(theirs)})
    site.drop(0)
    with site.watched():
        eventually(lambda: site.runs() and site.runs()[0].state == RunState.PAUSED, what="the run is paused")
        theirs.mkdir()
        shutil.copy2(site.films[0], theirs)
        site.until_done(1)
    assert [(run.state, run.rejected) for run in site.runs()] == [(RunState.FINISHED, 0)]
