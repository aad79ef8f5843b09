"""Recording what a walk found costs the same number of statements however many files it is, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event, select, update

from schemas.states import RunState
from schemas.tables import Batch, Image, Run
from tests.screened import RunKit
from wetread.store.core.database import Database
from wetread.store.core.image_set import ImageSet
from wetread.store.images import recording as images


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The statements sent, one a call of the driver's."""
    sent: list[str] = []
    engine: Engine = database._engine

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def names(first: int, count: int) -> list[bytes]:
    return [b"%05d.png" % number for number in range(first, first + count)]


def test_ten_files_and_two_thousand_take_as_many_statements(kit: RunKit, database: Database) -> None:
    run = kit.open().id
    kit.record(run, [b"first.png"])  # makes SQLite's temporary tables
    counts = []
    for first, count in ((0, 10), (1_000, 2_000)):
        with statements(database) as new:
            assert kit.record(run, names(first, count)).pending == count
        with statements(database) as again:
            assert kit.record(run, names(first, count)).pending == 0
        with statements(database) as changed:
            kit.record(run, names(first, count), mtime_ns=2)
        counts.append((len(new), len(again), len(changed)))
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 20


def test_a_chunk_of_old_new_and_changed_files_is_told_apart(kit: RunKit, database: Database) -> None:
    _, recorded = kit.filled(names(0, 8))
    kit.settle_all(recorded)
    run = kit.open().id
    assert kit.record(run, names(0, 2), mtime_ns=7).pending == 2, "written to since they were read"
    last = kit.record(run, names(1, 9))
    assert (last.pending, last.skipped) == (2, 6), "one is in the run, six are read, two are new"
    with database.reading() as session:
        assert len(session.scalars(select(Image.id)).all()) == 10
    kit.end_walk(run)
    account = kit.account(run)
    assert (account.found, account.pending, account.skipped) == (10, 4, 6)


@pytest.mark.parametrize("seen", [True, False], ids=["before the first look", "after it"])
def test_a_run_that_ends_while_files_are_recorded_gets_none_of_them(
    kit: RunKit, database: Database, monkeypatch: pytest.MonkeyPatch, seen: bool
) -> None:
    run = kit.open().id
    with database.writing() as session:
        session.execute(update(Run).where(Run.id == run).values(state=RunState.CANCELLED))
    if not seen:
        monkeypatch.setattr(images, "_is_ours", lambda *_: True)
    assert kit.record(run, names(0, 3)).run_ended
    account = kit.account(run)
    assert (account.found, account.pending) == (0, 0)
    with database.reading() as session:
        assert session.scalars(select(Image.id)).all() == []
        assert session.scalars(select(Batch.id)).all() == []


def test_a_file_that_changes_after_it_was_passed_over_is_read_in_the_same_run(kit: RunKit) -> None:
    _, recorded = kit.filled(names(0, 3))
    kit.settle_all(recorded)
    run, passed_over = kit.open().id, ImageSet()
    assert kit.record(run, names(0, 3), walk_skipped=passed_over).skipped == 3
    assert kit.record(run, names(1, 2), walk_skipped=passed_over, mtime_ns=2).pending == 2
    assert kit.record(run, names(0, 3), walk_skipped=passed_over).pending == 0
    account = kit.account(run)
    assert (account.found, account.pending, account.skipped) == (3, 2, 1)


def test_no_file_at_all_may_be_recorded(kit: RunKit) -> None:
    """Of a watch whose only file has changed since its run read it nothing is left to record."""
    recorded = kit.record(kit.open().id, [])
    assert (recorded.pending, recorded.skipped, recorded.run_ended) == (0, 0, False)
