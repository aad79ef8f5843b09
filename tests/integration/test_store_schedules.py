"""Schedules in the database, and the runs that are theirs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from schemas.errors import DatabaseFault, UsageError
from schemas.states import TickKind, TickOutcome
from schemas.tables import ScheduleTick
from tests.screened import RunKit
from wetread.store.core.database import Database
from wetread.store.runs.deleting import delete_run
from wetread.store.schedules.nightly import nightly_runs, tick_history
from wetread.store.schedules.schedules import (
    add_schedule,
    find_schedule,
    list_schedules,
    pause_schedule,
    remove_schedule,
    resume_schedule,
)

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
NIGHT = timedelta(days=1)


def add(database: Database, name: str = "nightly") -> int:
    with database.writing() as session:
        return add_schedule(
            session, name=name, root_ids=[1], cron="0 22 * * *", timezone="Europe/Paris", window=("22:00", "06:00"),
            model="production", engine="numpy", missed="run", now=NOW,
        )  # fmt: skip


def tick(schedule: int, at: datetime, run: int | None, outcome: TickOutcome = TickOutcome.STARTED) -> ScheduleTick:
    return ScheduleTick(schedule_id=schedule, tick=at, kind=TickKind.TICK, outcome=outcome, run_id=run, decided_at=at)


def test_a_schedule_is_found_by_its_name_until_it_is_removed(database: Database) -> None:
    add(database)
    with pytest.raises(UsageError, match="a schedule 'nightly'"):
        add(database)
    with database.writing() as session:
        found = find_schedule(session, "nightly")
        assert (found.window, found.missed, found.since_at) == (("22:00", "06:00"), "run", NOW)
        remove_schedule(session, "nightly", NOW)
    with database.reading() as session:
        assert list_schedules(session) == []
        with pytest.raises(UsageError, match="none named 'nightly'; there is none yet"):
            find_schedule(session, "nightly")
    assert add(database) != found.id, "its name is free again"


def test_ticks_before_a_schedule_was_resumed_do_not_count(database: Database) -> None:
    add(database)
    with database.writing() as session:
        assert pause_schedule(session, "nightly", NOW)
        assert not pause_schedule(session, "nightly", NOW + NIGHT)
        assert find_schedule(session, "nightly").paused_at == NOW
        assert resume_schedule(session, "nightly", NOW + 3 * NIGHT)
        assert not resume_schedule(session, "nightly", NOW)
        assert find_schedule(session, "nightly").since_at == NOW + 3 * NIGHT


def test_a_moment_of_a_schedule_is_written_once(database: Database) -> None:
    schedule = add(database)
    with database.writing() as session:
        session.add(tick(schedule, NOW, None))
    with pytest.raises(DatabaseFault, match=r"(?i)unique"), database.writing() as session:
        session.add(tick(schedule, NOW, None))


def test_the_runs_of_a_schedule_newest_first(kit: RunKit, database: Database) -> None:
    schedule, other = add(database), add(database, "other")
    first = kit.filled([b"a.png"])[0]
    kit.settle_all(kit.record(first, []))
    with kit.database.writing() as session:
        session.add_all([tick(schedule, NOW, first), tick(schedule, NOW + NIGHT, first)])
        session.add(tick(schedule, NOW + 2 * NIGHT, None, TickOutcome.MISSED))
    second = kit.open(force=True).id
    with database.writing() as session:
        session.add(tick(other, NOW, second))
        session.add(tick(other, NOW + NIGHT, second, TickOutcome.GOING))
    with database.reading() as session:
        assert [(run.run_id, run.schedule, run.nights) for run in nightly_runs(session)] == [
            (second, "other", 1), (first, "nightly", 2)
        ]  # fmt: skip
        assert [run.begun_for for run in nightly_runs(session, "nightly")] == [NOW]
        assert [run.run_id for run in nightly_runs(session, limit=1)] == [second]
        history = tick_history(session, "nightly")
    assert [(row.tick, row.outcome, row.run_id) for row in history] == [
        (NOW + 2 * NIGHT, TickOutcome.MISSED, None),
        (NOW + NIGHT, TickOutcome.STARTED, first),
        (NOW, TickOutcome.STARTED, first),
    ]


def test_a_run_that_is_deleted_leaves_its_nights_in_the_history(kit: RunKit, database: Database) -> None:
    schedule = add(database)
    run, recorded = kit.filled([b"a.png"])
    kit.settle_all(recorded)
    with database.writing() as session:
        session.add(tick(schedule, NOW, run))
    with database.writing() as session:
        delete_run(session, run)
    with database.reading() as session:
        assert nightly_runs(session) == []
        assert [(row.run_id, row.run_state) for row in tick_history(session)] == [(None, None)]
