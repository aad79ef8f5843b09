"""A schedule's nights with real films: the window's end, an emptied root, two beats, a pause, and workers elsewhere."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from cli.night import NightRunner
from producer.night_watch import NightWatch
from schemas.states import RunState, TickOutcome
from schemas.tables import Schedule
from tests.chaos.films import draw_films
from tests.program import Program, eventually
from tests.tiny_model import publish_tiny_model
from wetread.settings import Settings
from wetread.store.accounts import RunAccount, list_accounts
from wetread.store.database import Database
from wetread.store.migrating import ensure_schema
from wetread.store.moments import database_seconds
from wetread.store.nightly import tick_history
from wetread.store.roots import resolved_roots, root_ids
from wetread.store.schedules import add_schedule, pause_schedule, resume_schedule
from worker.identity import died_here, worker_id

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
TEN = datetime(2026, 11, 27, 21, tzinfo=UTC)
"""22:00 in Paris."""
DAY = timedelta(days=1)


class Site:
    """An archive with a nightly schedule, a clock that the test sets, and as many beats as it asks for."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.settings, self.archive, self.now = settings, folder / "archive", NOON
        self.database = Database(settings.database)
        ensure_schema(self.database)
        self.watches: list[NightWatch] = []

    def add(self, **other: str) -> None:
        with self.database.writing() as session:
            ids = root_ids(session, resolved_roots([str(self.archive)]))
            plan = {"name": "nightly", "cron": "0 22 * * *", "timezone": "Europe/Paris", "model": "production"} | other
            add_schedule(
                session, root_ids=ids, window=("22:00", "06:00"), engine="numpy", missed="run", now=self.now, **plan
            )

    def beat(self, name: str | None = None) -> NightWatch:
        runner = NightRunner(self.database, self.settings, 1, lambda: self.now)
        self.watches.append(NightWatch(name or worker_id(), died_here, runner.run, lambda: self.now))
        return self.watches[-1]

    def runs(self) -> list[RunAccount]:
        with self.database.reading() as session:
            found = list_accounts(session)
        for run in found:
            assert run.found == run.pending + run.settled + run.skipped + run.cancelled
        return found

    def outcomes(self) -> list[TickOutcome]:
        with self.database.reading() as session:
            return [row.outcome for row in tick_history(session)]

    def close(self) -> None:
        for watch in self.watches:
            watch.end()
        self.database.dispose()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    draw_films(tmp_path / "archive", 300, seed=1)
    publish_tiny_model(None, tmp_path / "home")
    opened = Site(tmp_path, Settings(batch_size=4))
    yield opened
    opened.close()


def rest(watch: NightWatch) -> None:
    eventually(lambda: watch.going == 0, what="the end of the night's work")


def test_what_is_pending_at_the_windows_end_goes_on_the_next_night_under_the_same_run(site: Site) -> None:
    site.add()
    beat = site.beat()
    site.now = TEN
    beat.look(site.database, site.now)
    eventually(lambda: site.runs() and site.runs()[0].done, what="a first batch")
    site.now = TEN + timedelta(hours=8)  # 06:00
    rest(beat)
    (left,) = site.runs()
    assert (left.state, left.pending > 0) == (RunState.PAUSED, True)
    assert left.note == "the window ended at 06:00; it goes on in the next one"
    beat.look(site.database, site.now)
    assert beat.going == 0, "not by day"
    site.now = TEN + DAY
    beat.look(site.database, site.now)
    rest(beat)
    (ended,) = site.runs()
    assert (ended.id, ended.state, ended.done) == (left.id, RunState.FINISHED, 300)
    assert site.outcomes() == [TickOutcome.STARTED] * 2


def test_two_beats_that_look_at_once_begin_one_run(site: Site) -> None:
    site.add()
    beats = [site.beat(f"elsewhere:{number}:1") for number in range(2)]
    site.now = TEN
    barrier = threading.Barrier(2)

    def look(beat: NightWatch) -> None:
        barrier.wait()
        beat.look(site.database, site.now)

    threads = [threading.Thread(target=look, args=(beat,)) for beat in beats]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(beat.going for beat in beats) == 1
    for beat in beats:
        rest(beat)
    assert [run.state for run in site.runs()] == [RunState.FINISHED]
    assert site.outcomes() == [TickOutcome.STARTED]


def test_a_root_that_is_suddenly_empty_makes_the_run_failed_and_the_next_night_reads_again(site: Site) -> None:
    site.add()
    beat = site.beat()
    for night, films in enumerate([True, False, True]):
        if not films:
            shutil.move(site.archive, site.archive.with_name("away"))
            site.archive.mkdir()
        elif night:
            site.archive.rmdir()
            shutil.move(site.archive.with_name("away"), site.archive)
        site.now = TEN + night * DAY
        beat.look(site.database, site.now)
        rest(beat)
    last, failed, first = site.runs()
    assert [run.state for run in (first, failed, last)] == [RunState.FINISHED, RunState.FAILED, RunState.FINISHED]
    assert "where there were some, found none" in (failed.note or "")
    assert (last.skipped, last.done) == (300, 0)


def test_a_root_that_is_gone_pauses_the_run_and_is_tried_again_in_the_same_night(site: Site) -> None:
    site.add()
    beat = site.beat()
    shutil.move(site.archive, site.archive.with_name("away"))
    site.now = TEN
    beat.look(site.database, site.now)
    rest(beat)
    assert [run.state for run in site.runs()] == [RunState.PAUSED]
    shutil.move(site.archive.with_name("away"), site.archive)
    beat.look(site.database, site.now + timedelta(minutes=1))
    assert beat.going == 0, "it rests a while"
    site.now += timedelta(minutes=6)
    beat.look(site.database, site.now)
    rest(beat)
    assert [(run.state, run.done) for run in site.runs()] == [(RunState.FINISHED, 300)]
    assert site.outcomes() == [TickOutcome.STARTED]


def test_a_schedule_that_is_paused_leaves_its_run_and_resumed_goes_on(site: Site) -> None:
    site.add()
    beat = site.beat()
    site.now = TEN
    beat.look(site.database, site.now)
    eventually(lambda: site.runs() and site.runs()[0].done, what="a first batch")
    with site.database.writing() as session:
        pause_schedule(session, "nightly", site.now)
    beat.look(site.database, site.now)
    rest(beat)
    assert (site.runs()[0].state, site.runs()[0].note) == (RunState.PAUSED, "the schedule was paused")
    with site.database.writing() as session:
        resume_schedule(session, "nightly", site.now + timedelta(hours=1))
    site.now = TEN + timedelta(hours=1)
    beat.look(site.database, site.now)
    rest(beat)
    assert [(run.state, run.done) for run in site.runs()] == [(RunState.FINISHED, 300)]


def test_a_model_that_is_not_there_is_said_in_the_history(site: Site) -> None:
    site.add(model="nobody")
    beat = site.beat()
    site.now = TEN
    beat.look(site.database, site.now)
    rest(beat)
    assert (site.outcomes(), site.runs()) == ([TickOutcome.FAILED], [])
    beat.look(site.database, site.now + timedelta(hours=1))
    assert beat.going == 0


def test_a_schedule_that_this_machine_cannot_read_keeps_no_other_from_running(site: Site) -> None:
    site.add(name="before", timezone="Of/Another_Machine")
    site.add(model="nobody")
    beat = site.beat()
    site.now = TEN
    beat.look(site.database, site.now)
    rest(beat)
    assert site.outcomes() == [TickOutcome.FAILED], "the second was looked at"


def test_a_beat_that_looks_seldom_keeps_its_run_until_it_looks_again(site: Site) -> None:
    site.add()
    beat = NightWatch("elsewhere:1:1", died_here, lambda night: night.leave.wait(30) and None, lambda: site.now, 600.0)
    site.watches.append(beat)
    site.now = TEN
    beat.look(site.database, site.now)
    with site.database.reading() as session:
        left = session.scalar(select(Schedule.keep_until - database_seconds()))
    assert left is not None
    assert left > 1200, "two looks, and another beat would not take its run"


def test_served_workers_read_what_beat_began(
    tmp_path: Path, redis_url: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_films(tmp_path / "archive", 40, seed=1)
    publish_tiny_model(postgres_url, tmp_path / "home")
    settings = Settings(database_url=postgres_url, broker_url=redis_url, batch_size=8)
    site = Site(tmp_path, settings)
    program = Program(tmp_path / "home", {"WETREAD_DATABASE_URL": postgres_url, "WETREAD_BROKER_URL": redis_url})
    worker = program.start("worker", "--concurrency", "1")
    try:
        site.add()
        beat = site.beat()
        site.now = TEN
        beat.look(site.database, site.now)
        rest(beat)
        assert [(run.state, run.done) for run in site.runs()] == [(RunState.FINISHED, 40)]
    finally:
        site.close()
        worker.terminate()
        worker.communicate(timeout=45)
