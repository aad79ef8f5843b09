"""Which run `wetread report --nightly` is on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from schemas.errors import UsageError
from schemas.schedule_tables import ScheduleTick
from schemas.states import RunState, TickKind, TickOutcome
from tests.screened import RunKit
from wetread.report.last_night import last_night
from wetread.store.database import Database
from wetread.store.runs import set_state
from wetread.store.schedules import add_schedule

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def add(database: Database, name: str) -> int:
    with database.writing() as session:
        return add_schedule(
            session, name=name, root_ids=[1], cron="0 22 * * *", timezone="Europe/Paris", window=None,
            model="production", engine="numpy", missed="run", now=NOW,
        )  # fmt: skip


def test_it_is_the_schedules_latest_run_that_is_not_at_work(kit: RunKit, database: Database) -> None:
    with pytest.raises(UsageError, match="found none"):
        last_night(database, None)
    schedule = add(database, "archive")
    with pytest.raises(UsageError, match="a run of 'archive' that is over"):
        last_night(database, None)
    first, recorded = kit.filled([b"a"])
    kit.settle_all(recorded)
    second = kit.open().id
    with database.writing() as session:
        for night, run in enumerate((first, second)):
            at = NOW + timedelta(days=night)
            session.add(
                ScheduleTick(
                    schedule_id=schedule, tick=at, kind=TickKind.TICK, outcome=TickOutcome.STARTED, run_id=run,
                    decided_at=at,
                )
            )  # fmt: skip
    assert last_night(database, None) == first, "the second still runs"
    with database.writing() as session:
        set_state(session, second, RunState.PAUSED, "the window ended")
    assert last_night(database, None) == last_night(database, "archive") == second


def test_of_several_schedules_one_is_to_be_named(database: Database) -> None:
    add(database, "one")
    add(database, "two")
    with pytest.raises(UsageError, match="'one', 'two'; name one"):
        last_night(database, None)
    with pytest.raises(UsageError, match="none named 'three'"):
        last_night(database, "three")
