"""A schedule's nights with real films: the window's end, an emptied root, two beats, a pause, two schedules."""

from __future__ import annotations

import multiprocessing
import shutil
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from producer.night_watch import NightWatch
from schemas.states import RunState, TickOutcome
from schemas.tables import Schedule
from tests.chaos.films import draw_films
from tests.night_site import DAY, TEN, NightSite, rest
from tests.program import eventually
from tests.tiny_model import publish_tiny_model
from wetread.settings import Settings
from wetread.store.core.database_clock import database_seconds
from wetread.store.schedules.schedules import pause_schedule, resume_schedule
from worker.identity import died_here

FEW, MANY = 16, 160


@pytest.fixture
def site(tmp_path: Path) -> Iterator[NightSite]:
    """Few films: a night is over soon."""
    yield from opened(tmp_path, FEW)


@pytest.fixture
def long_site(tmp_path: Path) -> Iterator[NightSite]:
    """Films enough that a night can be left between two batches."""
    yield from opened(tmp_path, MANY)


def opened(folder: Path, films: int) -> Iterator[NightSite]:
    draw_films(folder / "archive", films, seed=1)
    publish_tiny_model(None, folder / "home")
    found = NightSite(folder, Settings(batch_size=4))
    yield found
    found.close()


def test_what_is_pending_at_the_windows_end_goes_on_the_next_night_under_the_same_run(long_site: NightSite) -> None:
    site = long_site
    site.add()
    beat = site.beat()
    site.now = TEN
    with capture_logs() as logged:
        site.look(beat)
        site.a_first_batch()
        site.now = TEN + timedelta(hours=8)  # 06:00
        rest(beat)
        (left,) = site.runs()
        assert (left.state, left.pending > 0) == (RunState.PAUSED, True)
        assert left.note == "the window ended at 06:00; it goes on in the next one"
        site.look(beat)
        assert beat.going == 0, "not by day"
        site.now = TEN + DAY
        site.look(beat)
        rest(beat)
    (ended,) = site.runs()
    assert (ended.id, ended.state, ended.done) == (left.id, RunState.FINISHED, MANY)
    assert site.outcomes() == [TickOutcome.STARTED] * 2
    said = [(one["event"], one["schedule"], one.get("run")) for one in logged if "schedule" in one]
    assert said == [
        ("a tick of a schedule is due", 1, None),
        ("a run of a schedule started", 1, 1),
        ("a run of a schedule was left before its end", 1, 1),
        ("a tick of a schedule is due", 1, None),
        ("a run of a schedule started", 1, 1),
        ("a run of a schedule ended", 1, 1),
    ]
    assert [one["why"] for one in logged if "left" in one["event"]] == [left.note]
    assert not any(secret in repr(logged) for secret in (str(site.archive), "nightly", ".png"))


def test_two_beats_that_look_at_once_begin_one_run(site: NightSite) -> None:
    site.add()
    beats = [site.beat(f"elsewhere:{number}:1") for number in range(2)]
    site.now = TEN
    barrier = threading.Barrier(2)

    def look(beat: NightWatch) -> None:
        barrier.wait()
        site.look(beat)

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


def test_a_root_that_is_suddenly_empty_makes_the_run_failed_and_the_next_night_reads_again(site: NightSite) -> None:
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
        site.look(beat)
        rest(beat)
    last, failed, first = site.runs()
    assert [run.state for run in (first, failed, last)] == [RunState.FINISHED, RunState.FAILED, RunState.FINISHED]
    assert "where there were some, found none" in (failed.note or "")
    assert (last.skipped, last.done) == (FEW, 0)


def test_a_root_that_is_gone_pauses_the_run_and_is_tried_again_in_the_same_night(site: NightSite) -> None:
    site.add()
    beat = site.beat()
    shutil.move(site.archive, site.archive.with_name("away"))
    site.now = TEN
    site.look(beat)
    rest(beat)
    assert [run.state for run in site.runs()] == [RunState.PAUSED]
    shutil.move(site.archive.with_name("away"), site.archive)
    beat.look(site.database, site.now + timedelta(minutes=1))
    assert beat.going == 0, "it rests a while"
    site.now += timedelta(minutes=6)
    site.look(beat)
    rest(beat)
    assert [(run.state, run.done) for run in site.runs()] == [(RunState.FINISHED, FEW)]
    assert site.outcomes() == [TickOutcome.STARTED]


def test_a_schedule_that_is_paused_leaves_its_run_and_resumed_goes_on(long_site: NightSite) -> None:
    site = long_site
    site.add()
    beat = site.beat()
    site.now = TEN
    site.look(beat)
    site.a_first_batch()
    with site.database.writing() as session:
        pause_schedule(session, "nightly", site.now)
    site.look(beat)
    rest(beat)
    assert (site.runs()[0].state, site.runs()[0].note) == (RunState.PAUSED, "the schedule was paused")
    with site.database.writing() as session:
        resume_schedule(session, "nightly", site.now + timedelta(hours=1))
    site.now = TEN + timedelta(hours=1)
    site.look(beat)
    rest(beat)
    assert [(run.state, run.done) for run in site.runs()] == [(RunState.FINISHED, MANY)]


def test_a_model_that_is_not_there_is_said_in_the_history(site: NightSite) -> None:
    site.add(model="nobody")
    beat = site.beat()
    site.now = TEN
    site.look(beat)
    rest(beat)
    assert (site.outcomes(), site.runs()) == ([TickOutcome.FAILED], [])
    beat.look(site.database, site.now + timedelta(hours=1))
    assert beat.going == 0


def test_a_schedule_that_this_machine_cannot_read_keeps_no_other_from_running(site: NightSite) -> None:
    site.add(name="before", timezone="Of/Another_Machine")
    site.add(model="nobody")
    beat = site.beat()
    site.now = TEN
    beat.look(site.database, site.now)
    rest(beat)
    assert site.outcomes() == [TickOutcome.FAILED], "the second was looked at"


def test_a_beat_that_looks_seldom_keeps_its_run_until_it_looks_again(site: NightSite) -> None:
    site.add()
    beat = NightWatch("elsewhere:1:1", died_here, lambda night: night.leave.wait(30) and None, lambda: site.now, 600.0)
    site.watches.append(beat)
    site.now = TEN
    site.look(beat)
    with site.database.reading() as session:
        left = session.scalar(select(Schedule.keep_until - database_seconds()))
    assert left is not None
    assert left > 1200, "two looks, and another beat would not take its run"


def test_two_schedules_at_once_share_the_worker_processes(site: NightSite, tmp_path: Path) -> None:
    draw_films(tmp_path / "other", FEW, seed=2)
    site.add()
    site.add(tmp_path / "other", name="other")
    beat = site.beat()
    site.now = TEN
    site.look(beat)
    assert beat.going == 2
    alive: list[int] = []

    def over() -> bool:
        alive.append(len(multiprocessing.active_children()))
        return beat.going == 0

    eventually(over, what="both nights")
    assert max(alive) == 1, "--workers is what all schedules have together"
    assert [(run.state, run.done) for run in site.runs()] == [(RunState.FINISHED, FEW)] * 2
