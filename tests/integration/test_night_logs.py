"""What the logs say of a schedule's ticks: their outcome, with the numbers of schedule and run, and no name or path."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from producer.night_watch import NightWatch, OurNight
from schemas.errors import RootUnavailable
from tests.night_site import DAY, NOON, TEN, rest
from tests.screened import RunKit
from wetread.store.core.database import Database
from wetread.store.schedules.schedule_log import attach_run
from wetread.store.schedules.schedules import add_schedule


@pytest.fixture(autouse=True)
def all_levels() -> Iterator[None]:
    """Whatever a test before has set up."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


def add(database: Database, root: int, missed: str) -> None:
    with database.writing() as session:
        add_schedule(
            session, name="nightly", root_ids=[root], cron="0 22 * * *", timezone="Europe/Paris",
            window=("22:00", "06:00"), model="production", engine="numpy", missed=missed, now=NOON,
        )  # fmt: skip


def told(logged: list[Any]) -> list[tuple[str, int, str | None, int | None]]:
    assert "nightly" not in repr(logged)
    assert "/archive" not in repr(logged)
    return [(one["event"], one["schedule"], one.get("tick"), one.get("run")) for one in logged]


def test_a_tick_that_is_due_and_one_that_finds_the_run_still_going(kit: RunKit, database: Database) -> None:
    add(database, kit.root, "run")
    at_work, end, run = threading.Event(), threading.Event(), kit.open().id

    def night(_: OurNight) -> None:
        with database.writing() as session:
            attach_run(session, 1, run)
        at_work.set()
        end.wait(30)

    watch = NightWatch("elsewhere:1:1", lambda _: False, night)
    other = NightWatch("elsewhere:2:1", lambda _: False, night)
    with capture_logs() as logged:
        watch.look(database, TEN)
        assert at_work.wait(30)
        other.look(database, TEN + DAY)
        end.set()
        rest(watch)
    assert told(logged) == [
        ("a tick of a schedule is due", 1, TEN.isoformat(), None),
        ("a tick of a schedule found the run before still going", 1, (TEN + DAY).isoformat(), run),
    ]


@pytest.mark.parametrize(
    ("missed", "last"),
    [("run", "a tick of a schedule that was missed is made up late"), ("skip", "a tick of a schedule was missed")],
)
def test_ticks_that_no_beat_saw(kit: RunKit, database: Database, missed: str, last: str) -> None:
    add(database, kit.root, missed)
    watch = NightWatch("elsewhere:1:1", lambda _: False, lambda _: None)
    with capture_logs() as logged:
        watch.look(database, TEN + DAY + timedelta(hours=1))
        rest(watch)
    assert told(logged) == [
        ("a tick of a schedule was missed", 1, TEN.isoformat(), None),
        (last, 1, (TEN + DAY).isoformat(), None),
    ]


def test_a_root_that_is_gone_is_said_without_its_path(kit: RunKit, database: Database, tmp_path: Path) -> None:
    add(database, kit.root, "run")

    def night(_: OurNight) -> None:
        raise RootUnavailable(f"expected {tmp_path}/archive, found none")

    watch = NightWatch("elsewhere:1:1", lambda _: False, night)
    with capture_logs() as logged:
        watch.look(database, TEN)
        rest(watch)
    assert [event for event, *_ in told(logged)] == ["a tick of a schedule is due", "a run of a schedule was left"]
