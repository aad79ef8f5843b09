"""What `status --watch` and beat's metrics ask of the database: the right figures, in few queries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, text

from schemas.reasons import Reason
from schemas.states import RunState
from schemas.tables import Run, Worker
from tests.deployed import kedas_query
from tests.screened import RunKit, done, rejected
from wetread.store.core.database import Database
from wetread.store.runs.overview import Overview, look
from wetread.store.runs.totals import count_unsettled_batches, read_totals
from wetread.store.work.workers import Heartbeat, WorkerKind, beat, count_alive, forget_dead, seen_workers


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT"):
            asked.append(statement)

    event.listen(database._engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(database._engine, "before_cursor_execute", note)


def watched(database: Database, run: int | None = None, before: Overview | None = None) -> Overview:
    with database.reading() as session:
        return look(session, run, before)


def settle_with_one_reject(kit: RunKit, batch: int) -> None:
    held = kit.claim(batch)
    assert held is not None
    first, *rest = held.items
    kit.settle(held, [rejected(first, Reason.TRUNCATED), *(done(item) for item in rest)])


def test_a_look_takes_at_most_six_queries_and_five_when_no_film_failed_since(kit: RunKit, database: Database) -> None:
    names = [f"{number}.png".encode() for number in range(12)]
    for number in range(7):
        run, recorded = kit.filled(names, force=True)
        for batch in recorded.batch_ids[:-1] if number == 6 else recorded.batch_ids:
            settle_with_one_reject(kit, batch)
    with database.writing() as session:
        for pid in range(30):
            details = {
                "kind": WorkerKind.PROCESS,
                "every_seconds": 5.0,
                "memory_bytes": 2**20,
                "run": run,
                "batch": pid,
            }
            beat(session, Heartbeat(f"h:{pid}:1", "h", pid, details))
    with counted(database) as asked:
        first = watched(database)
    assert len(asked) <= 6, asked
    assert [one.id for one in first.runs] == [7, 6, 5, 4, 3]
    assert first.runs[0].rejected_reasons == {"truncated": 2}
    assert [(film.run, film.reason) for film in first.failed] == [(7, "truncated"), (7, "truncated")]
    assert [(one.batch, one.memory_bytes, one.alive) for one in first.workers] == [(n, 2**20, True) for n in range(30)]
    with counted(database) as asked:
        assert watched(database, before=first).failed == first.failed
    assert len(asked) == 5, asked
    settle_with_one_reject(kit, recorded.batch_ids[-1])
    assert len(watched(database, before=first).failed) == 3
    assert [one.id for one in watched(database, run=2).runs] == [2]


def test_a_run_that_goes_on_stands_before_those_that_ended_later(kit: RunKit, database: Database) -> None:
    kit.filled([b"a.png"])
    _, recorded = kit.filled([b"a.png"], force=True)
    kit.settle_all(recorded)
    assert [(one.id, str(one.state)) for one in watched(database).runs] == [(1, "running"), (2, "finished")]


def test_nothing_at_all_can_be_watched(database: Database) -> None:
    assert watched(database) == Overview([], [], [])


def test_processes_do_not_count_as_workers_and_the_dead_are_counted_once(database: Database) -> None:
    with database.writing() as session:
        beat(session, Heartbeat("h:1:1", "h", 1, {"kind": WorkerKind.SERVICE, "every_seconds": 15.0}))
        beat(session, Heartbeat("h:2:1", "h", 2, {"concurrency": 2}))  # the version before
        beat(session, Heartbeat("h:3:1", "h", 3, {"kind": WorkerKind.PROCESS, "every_seconds": 5.0}))
    with database.writing() as session:
        assert count_alive(session, 45.0) == 2
        session.get_one(Worker, "h:3:1").seen_at -= 16.0
    with database.reading() as session:
        assert [(one.pid, one.alive) for one in seen_workers(session)] == [(1, True), (2, True), (3, False)]
    for count in (1, 0):
        with database.writing() as session:
            assert forget_dead(session, ["h:3:1"]) == count


@pytest.mark.parametrize("runs", [1, 3])
def test_the_totals_take_the_same_queries_for_any_number_of_runs(kit: RunKit, database: Database, runs: int) -> None:
    names = [f"{number}.png".encode() for number in range(8)]
    for number in range(runs):
        _, recorded = kit.filled(names, force=True)
        for batch in recorded.batch_ids[: 1 if number == runs - 1 else 2]:
            settle_with_one_reject(kit, batch)
    with counted(database) as asked, database.reading() as session:
        totals = read_totals(session)
    assert len(asked) == 15, asked
    settled = 2 * runs - 1
    assert totals.films == {
        ("pending", ""): 4, ("done", ""): 3 * settled, ("cancelled", ""): 0, ("skipped", ""): 0,
        ("rejected", "truncated"): settled,
    }  # fmt: skip
    assert totals.runs == ({"running": 1, "finished": runs - 1} if runs > 1 else {"running": 1})
    with database.reading() as session:
        assert count_unsettled_batches(session) == totals.unsettled == 1


def test_a_worker_that_let_its_lease_run_out_is_in_the_totals(kit: RunKit, database: Database) -> None:
    _, recorded = kit.filled([b"a.png"])
    first = kit.claim(recorded.batch_ids[0], "w:1:1", lease_seconds=-1.0)
    assert first is not None
    assert not first.took_over
    with database.reading() as session:
        totals = read_totals(session)
    assert (totals.held, totals.expired, totals.abandoned) == (1, 1, 0)
    second = kit.claim(recorded.batch_ids[0], "w:2:1")
    assert second is not None
    assert second.took_over, "a worker counts it"
    with database.reading() as session:
        totals = read_totals(session)
    assert (totals.held, totals.expired, totals.abandoned) == (1, 0, 1)


def test_kedas_query_counts_the_batches_that_wait_or_are_at_work_in_running_runs(
    kit: RunKit, database: Database
) -> None:
    query = kedas_query()
    run, recorded = kit.filled([f"{number}.png".encode() for number in range(12)])
    settle_with_one_reject(kit, recorded.batch_ids[0])
    assert kit.claim(recorded.batch_ids[1]) is not None
    for state, expected in ((RunState.RUNNING, 2), (RunState.PAUSED, 0)):
        with database.writing() as session:
            session.get_one(Run, run).state = state
        with database.reading() as session:
            assert session.execute(text(query)).scalar_one() == count_unsettled_batches(session) == expected
