"""A run is deleted while its batches, or other runs of its model, are being worked on: nobody locks another out.

On PostgreSQL; SQLite lets one transaction write at a time. Each test stops the worker where it holds locks that the
deletion wants, until the deletion waits for it, and then lets it go on to what the deletion may hold.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from schemas.errors import ServiceUnavailable
from schemas.films import FilmHeader
from schemas.states import RunState
from schemas.tables import Batch, Run, StoredHeader, WorkItem
from tests.screened import RunKit, done
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema
from wetread.store.images import recording
from wetread.store.images.headers import store_headers
from wetread.store.roots.erasing import erase_images
from wetread.store.runs import lifecycle as runs
from wetread.store.runs.deleting import delete_run
from wetread.store.runs.lifecycle import cancel_pending, set_state
from wetread.store.work import item_settling, settling
from wetread.store.work.attempts import count_attempt
from wetread.store.work.leases import release_dead

NAMES = [b"a.png", b"b.png", b"c.png"]


@pytest.fixture
def kit(postgres_url: str) -> Iterator[RunKit]:
    """A run kit on PostgreSQL."""
    database = Database(postgres_url)
    ensure_schema(database)
    yield RunKit(database)
    database.dispose()


class Meeting:
    """Deletes a run while another transaction stands still in the middle."""

    def __init__(self, kit: RunKit, run: int) -> None:
        self._kit = kit
        self._run = run
        self._half_way = threading.Event()
        self._faults: list[Exception] = []

    def stand_still(self) -> None:
        """Let the deletion begin, and return when it waits for a lock."""
        if self._half_way.is_set():
            return
        self._half_way.set()
        waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        limit = time.monotonic() + 20
        with self._kit.database.connecting() as connection:
            while not connection.execute(waiting).scalar_one():
                assert time.monotonic() < limit, "the deletion waited for nothing"
                time.sleep(0.01)
                connection.execute(text("SELECT pg_stat_clear_snapshot()"))

    def hold(self, deed: Callable[[], None]) -> list[Exception]:
        """Do `deed`, which stands still once, and the deletion; return what they raised."""
        threads = [threading.Thread(target=self._try, args=(what,)) for what in (deed, self._delete)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
        return self._faults

    def _delete(self) -> None:
        assert self._half_way.wait(20)
        with self._kit.database.writing() as session:
            delete_run(session, self._run)

    def _try(self, what: Callable[[], None]) -> None:
        try:
            what()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test's own thread is to see it
            self._faults.append(error)


def interrupt(kit: RunKit, run: int, state: RunState = RunState.INTERRUPTED) -> None:
    with kit.database.writing() as session:
        assert set_state(session, run, state)


def runs_left(kit: RunKit) -> list[int]:
    with kit.database.reading() as session:
        return list(session.scalars(select(Run.id)))


def test_an_interrupted_run_is_deleted_while_its_last_batch_settles(
    kit: RunKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, recorded = kit.filled(NAMES)
    held = kit.claim(*recorded.batch_ids)
    assert held is not None
    interrupt(kit, run)
    meeting = Meeting(kit, run)
    _pause_before(monkeypatch, settling, "add_tallies", meeting)
    assert meeting.hold(lambda: kit.settle(held, [done(item) for item in held.items])) == []
    assert runs_left(kit) == []


def test_a_run_is_deleted_while_a_later_one_reads_its_images_again(
    kit: RunKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, recorded = kit.filled(NAMES)
    kit.settle_all(recorded)
    second, again = kit.filled(NAMES, force=True)
    held = kit.claim(*again.batch_ids)
    assert held is not None
    meeting = Meeting(kit, first)
    _pause_before(monkeypatch, item_settling, "_lock_items", meeting)
    assert meeting.hold(lambda: kit.settle(held, [done(item) for item in held.items])) == []
    assert runs_left(kit) == [second]
    with kit.database.reading() as session:
        assert list(session.scalars(select(WorkItem.run_id).where(WorkItem.current))) == [second] * len(NAMES)


def test_a_run_is_deleted_while_an_attempt_is_counted(kit: RunKit) -> None:
    run, recorded = kit.filled(NAMES)
    held = kit.claim(*recorded.batch_ids)
    assert held is not None
    interrupt(kit, run)
    meeting = Meeting(kit, run)

    def attempt() -> None:
        with kit.database.writing() as session:
            session.execute(
                select(Batch.id).where(Batch.id == held.batch_id).with_for_update()
            )  # counting's first lock
            meeting.stand_still()
            count_attempt(session, held, held.items[0].image_id)

    assert meeting.hold(attempt) == []
    assert runs_left(kit) == []


def test_a_run_is_deleted_while_a_dead_worker_s_batch_of_it_is_freed(kit: RunKit) -> None:
    run, recorded = kit.filled(NAMES)
    held = kit.claim(*recorded.batch_ids)
    assert held is not None
    interrupt(kit, run)
    meeting = Meeting(kit, run)

    def free() -> None:
        with kit.database.writing() as session:
            session.execute(select(Batch.id).where(Batch.id == held.batch_id).with_for_update())  # freeing's first lock
            meeting.stand_still()
            assert release_dead(session, held.owner) == 1

    assert meeting.hold(free) == []
    assert runs_left(kit) == []


def test_an_image_is_erased_while_an_attempt_of_it_is_counted(kit: RunKit, monkeypatch: pytest.MonkeyPatch) -> None:
    run, recorded = kit.filled(NAMES)
    held = kit.claim(*recorded.batch_ids)
    assert held is not None
    image = held.items[0].image_id
    meeting = Meeting(kit, run)
    monkeypatch.setitem(globals(), "delete_run", lambda session, _run: erase_images(session, [image]))

    def attempt() -> None:
        with kit.database.writing() as session:
            session.execute(select(Batch.id).where(Batch.id == held.batch_id).with_for_update())
            meeting.stand_still()
            count_attempt(session, held, image)

    assert meeting.hold(attempt) == []
    with kit.database.reading() as session:
        assert image not in session.scalars(select(WorkItem.image_id)).all()


def test_an_image_is_erased_while_a_walk_finds_its_file_changed(kit: RunKit, monkeypatch: pytest.MonkeyPatch) -> None:
    run = kit.open().id
    first = kit.record(run, NAMES)
    held = kit.claim(*first.batch_ids)
    assert held is not None
    image = held.items[0].image_id
    kit.settle(held, [done(item) for item in held.items])
    meeting = Meeting(kit, run)
    _pause_before(monkeypatch, recording, "_make_batches", meeting)
    monkeypatch.setitem(globals(), "delete_run", lambda session, _run: erase_images(session, [image]))
    assert meeting.hold(lambda: kit.record(run, [*NAMES, b"d.png"], mtime_ns=2) and None) == []
    assert kit.account(run).found == len(NAMES), "one more was found, and one taken back"


def test_an_image_is_erased_while_another_model_reads_a_copy_of_it(
    kit: RunKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, recorded = kit.filled(NAMES[:1])
    held = kit.claim(*recorded.batch_ids)
    assert held is not None
    outcome = done(held.items[0], header=FilmHeader(study_uid="1.2.3"))
    kit.settle(held, [outcome])
    other = kit.open().id
    kit.record(other, NAMES[1:])
    meeting = Meeting(kit, first)
    monkeypatch.setitem(globals(), "delete_run", lambda session, _run: erase_images(session, [held.items[0].image_id]))

    def settle() -> None:  # as a worker of another model does, which does not wait for this model's readings
        with kit.database.writing() as session:
            (number,) = store_headers(session, {str(outcome.sha256): FilmHeader(study_uid="1.2.3")}).values()
            meeting.stand_still()
            session.execute(update(Run).where(Run.id == other).values(untouched=0))
            session.execute(update(WorkItem).where(WorkItem.run_id == other).values(header_id=number))

    assert meeting.hold(settle) == []
    with kit.database.reading() as session:
        assert session.scalars(select(StoredHeader.study_uid)).all() == ["1.2.3"]


def test_a_run_is_deleted_while_the_rest_of_it_is_cancelled(kit: RunKit, monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = kit.filled(NAMES)
    interrupt(kit, run, RunState.CANCELLED)
    meeting = Meeting(kit, run)
    _pause_before(monkeypatch, runs, "utc_now", meeting)

    def cancel() -> None:
        with kit.database.writing() as session:
            cancel_pending(session, run)

    assert meeting.hold(cancel) == []
    assert runs_left(kit) == []
    with kit.database.writing() as session:
        assert cancel_pending(session, run) == 0


def test_a_deadlock_is_named_as_what_it_is(kit: RunKit) -> None:
    first, _ = kit.filled(NAMES[:1])
    second, _ = kit.filled(NAMES, force=True)
    both_hold = threading.Barrier(2)
    faults: list[ServiceUnavailable] = []

    def cross(runs: tuple[int, int]) -> None:
        try:
            with kit.database.writing() as session:
                session.execute(select(Run.id).where(Run.id == runs[0]).with_for_update())
                both_hold.wait(20)
                session.execute(select(Run.id).where(Run.id == runs[1]).with_for_update())
        except ServiceUnavailable as error:
            faults.append(error)

    threads = [threading.Thread(target=cross, args=(order,)) for order in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    (fault,) = map(str, faults)
    assert "deadlock detected" in fault
    assert "the same command goes on" in fault
    assert "that the server runs" not in fault


def test_a_header_that_is_about_to_be_named_outlives_the_run_that_is_deleted(kit: RunKit) -> None:
    first, recorded = kit.filled(NAMES[:1])
    held = kit.claim(*recorded.batch_ids)
    assert held is not None
    outcome = done(held.items[0], header=FilmHeader(study_uid="1.2.3"))
    kit.settle(held, [outcome])
    second, _ = kit.filled(NAMES[1:])
    meeting = Meeting(kit, first)

    def name() -> None:  # as a worker of another model does, which does not wait for this model's readings
        with kit.database.writing() as session:
            (number,) = store_headers(session, {str(outcome.sha256): FilmHeader(study_uid="1.2.3")}).values()
            meeting.stand_still()
            session.execute(update(WorkItem).where(WorkItem.run_id == second).values(header_id=number))

    assert meeting.hold(name) == []
    assert runs_left(kit) == [second]
    with kit.database.reading() as session:
        assert session.scalars(select(StoredHeader.study_uid)).all() == ["1.2.3"]


def _pause_before(monkeypatch: pytest.MonkeyPatch, module: object, name: str, meeting: Meeting) -> None:
    then: Callable[..., object] = getattr(module, name)

    def paused(*arguments: Session) -> object:
        meeting.stand_still()
        return then(*arguments)

    monkeypatch.setattr(module, name, paused)
