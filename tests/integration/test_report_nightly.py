"""Which run `wetread report --nightly` is on, and the nights that it says had none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from schemas.errors import UsageError
from schemas.schedule_tables import Schedule, ScheduleTick
from schemas.states import RunState, TickKind, TickOutcome
from tests.screened import RunKit
from wetread.report.last_night import LastNight, last_night
from wetread.store.core.database import Database
from wetread.store.runs.lifecycle import set_state
from wetread.store.schedules.schedules import add_schedule, pause_schedule

FIRST = datetime(2026, 11, 1, 21, tzinfo=UTC)
"""22:00 in Paris."""


def add(database: Database, name: str, missed: str = "run") -> int:
    with database.writing() as session:
        return add_schedule(
            session, name=name, root_ids=[1], cron="0 22 * * *", timezone="Europe/Paris", window=None,
            model="production", engine="numpy", missed=missed, now=FIRST - timedelta(hours=1),
        )  # fmt: skip


def tick(
    database: Database, schedule: int, night: int, outcome: str, run: int | None = None, note: str | None = None
) -> None:
    at = FIRST + timedelta(days=night)
    with database.writing() as session:
        session.add(
            ScheduleTick(
                schedule_id=schedule, tick=at, kind=TickKind.TICK, outcome=outcome, run_id=run, decided_at=at, note=note
            )
        )


def morning(database: Database, night: int, name: str | None = None) -> LastNight:
    """Ask at eight in the morning after a night, the first of which is 0."""
    return last_night(database, name, FIRST + timedelta(days=night, hours=10))


def said(found: LastNight) -> list[tuple[str, str, str | None]]:
    return [(f"{one.due:%m-%d %H:%M}", one.outcome, one.note) for one in found.nights]


def run_done(kit: RunKit, name: bytes) -> int:
    run, recorded = kit.filled([name])
    kit.settle_all(recorded)
    return run


def test_it_is_the_schedules_latest_run_that_is_not_at_work(kit: RunKit, database: Database) -> None:
    with pytest.raises(UsageError, match="found none"):
        morning(database, -1)
    schedule = add(database, "archive")
    with pytest.raises(UsageError, match="a run of 'archive' that is over"):
        morning(database, -1)
    first = run_done(kit, b"a")
    second = kit.open().id
    tick(database, schedule, 0, TickOutcome.STARTED, first)
    tick(database, schedule, 1, TickOutcome.STARTED, second)
    assert morning(database, 1).run == first, "the second still runs"
    with database.writing() as session:
        set_state(session, second, RunState.PAUSED, "the window ended")
    assert morning(database, 1) == morning(database, 1, "archive") == LastNight("archive", second, (), ())


def test_of_several_schedules_one_is_to_be_named(database: Database) -> None:
    add(database, "one")
    add(database, "two")
    with pytest.raises(UsageError, match="'one', 'two'; name one"):
        morning(database, -1)
    with pytest.raises(UsageError, match="none named 'three'"):
        morning(database, -1, "three")


def test_nights_without_a_run_are_said_since_the_run_before_and_the_latest_is_an_alarm(
    kit: RunKit, database: Database
) -> None:
    schedule = add(database, "archive")
    tick(database, schedule, 0, TickOutcome.MISSED, note="no beat ran")
    assert [alarm.message for alarm in morning(database, 0).alarms] == [
        "The night of 2026-11-01 22:00 was missed: no beat ran."
    ]
    assert morning(database, 0).run is None
    tick(database, schedule, 1, TickOutcome.STARTED, run_done(kit, b"a"))
    assert said(morning(database, 1)) == [("11-01 22:00", "missed", "no beat ran")]
    assert morning(database, 1).alarms == (), "a later night had its run"
    tick(database, schedule, 2, TickOutcome.GOING)
    tick(database, schedule, 3, TickOutcome.FAILED, note="no model production")
    failed = morning(database, 3)
    assert said(failed)[:2] == [
        ("11-04 22:00", "failed", "no model production"),
        ("11-03 22:00", "going", "the run before was still going"),
    ]
    assert [alarm.message for alarm in failed.alarms] == [
        "The night of 2026-11-04 22:00 failed before a run was made: no model production."
    ]
    second = run_done(kit, b"b")
    tick(database, schedule, 4, TickOutcome.STARTED, second)
    found = morning(database, 4)
    assert (found.run, found.alarms) == (second, ())
    assert [one.outcome for one in found.nights] == ["failed", "going"], "what came before the run before is not said"


def test_a_night_that_nobody_kept_is_missed_though_nobody_wrote_it_down(kit: RunKit, database: Database) -> None:
    schedule = add(database, "archive")
    run = run_done(kit, b"a")
    tick(database, schedule, 0, TickOutcome.STARTED, run)
    found = morning(database, 2)
    assert (found.run, said(found)) == (
        run, [("11-03 22:00", "missed", "no beat ran"), ("11-02 22:00", "missed", "no beat ran")],
    )  # fmt: skip
    assert [alarm.message for alarm in found.alarms] == ["The night of 2026-11-03 22:00 was missed: no beat ran."]
    soon = last_night(database, None, FIRST + timedelta(days=1, minutes=4))
    assert soon.nights == (), "a beat that looks once a minute has still time"
    with database.writing() as session:
        session.execute(update(Schedule).values(keeper="here:1:1", keep_until=4e9))
    assert morning(database, 2).nights == (), "a process is at its run, and has not looked yet"
    with database.writing() as session:
        session.execute(update(Schedule).values(keeper=None, keep_until=None))
        pause_schedule(session, "archive", FIRST)
    assert morning(database, 2).nights == (), "a schedule that rests misses nothing"


def test_a_schedule_that_skips_what_it_missed_says_so_and_raises_no_alarm(kit: RunKit, database: Database) -> None:
    schedule = add(database, "archive", missed="skip")
    tick(database, schedule, 0, TickOutcome.STARTED, run_done(kit, b"a"))
    tick(database, schedule, 1, TickOutcome.MISSED, note="no beat ran; skipped")
    found = morning(database, 1)
    assert said(found) == [("11-02 22:00", "skipped", "no beat ran; skipped")]
    assert found.alarms == ()
    tick(database, schedule, 2, TickOutcome.FAILED, note="no model")
    assert len(morning(database, 2).alarms) == 1
