"""Two commands at the same moment, and commands that meet a run half way, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

import pytest
from sqlalchemy import select, text

from producer import ingest
from schemas.reasons import Reason
from schemas.states import ItemState, RunState
from schemas.tables import Batch, Run, WorkItem
from tests.screened import DIGEST, RunKit, nobody_died, rejected
from wetread.store.core.database import Database
from wetread.store.images.recording import FoundFile, RunToFill
from wetread.store.roots.adding import root_ids
from wetread.store.runs.lifecycle import end_walk, open_run
from wetread.store.work.settling import settle

NAMES = [b"a.png", b"b/c.png", b"e.png"]


def at_once(*deeds: Callable[[], None]) -> list[Exception]:
    """Do `deeds` in a thread each, begun together; return what they raised."""
    raised: list[Exception] = []
    barrier = threading.Barrier(len(deeds))

    def run(deed: Callable[[], None]) -> None:
        barrier.wait()
        try:
            deed()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test's own thread is to see it
            raised.append(error)

    threads = [threading.Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return raised


@pytest.mark.parametrize("path", [b"/archive", b"/new"])
def test_two_commands_that_begin_together_make_one_run_and_one_walks_it(
    kit: RunKit, database: Database, path: bytes
) -> None:
    opened = []
    both_are_in = threading.Barrier(2)

    def begin(walker: str) -> None:
        with database.writing() as session:
            with suppress(threading.BrokenBarrierError):
                both_are_in.wait(0.5)  # on SQLite the second is let in when the first has committed
            ids = root_ids(session, [path])
            opened.append(open_run(session, ids, DIGEST, "numpy", force=False, walker=walker, dead=nobody_died))

    assert not at_once(lambda: begin("here:1:1"), lambda: begin("here:2:2"))
    assert len({run.id for run in opened}) == 1
    assert sorted(run.walks for run in opened) == [False, True]


def test_a_walker_that_was_replaced_does_not_end_the_walk_of_another(kit: RunKit) -> None:
    run = kit.open(walker="slow:1:1").id
    with kit.database.writing() as session:
        taken = open_run(
            session, [kit.root], DIGEST, "numpy", force=False, walker="next:2:2", dead=lambda owner: owner == "slow:1:1"
        )
    assert taken.walks
    with kit.database.writing() as session:
        assert not end_walk(session, run, walker="slow:1:1")
    assert kit.account(run).state == RunState.RUNNING, "the second walk has only begun"
    assert kit.record(run, NAMES, walker="next:2:2").pending == len(NAMES)
    kit.end_walk(run, walker="next:2:2")


def test_two_runs_that_reject_the_same_images_at_once_both_settle(kit: RunKit, database: Database) -> None:
    plain, first = kit.filled(NAMES)
    forced, second = kit.filled(NAMES, force=True)
    held = [kit.claim(recorded.batch_ids[0], f"w:{n}:1") for n, recorded in enumerate((first, second))]
    written = threading.Event()

    def begin() -> None:
        assert held[0] is not None
        with database.writing() as session:
            settle(session, held[0], [rejected(item, Reason.FLAT) for item in held[0].items])
            session.execute(text("SELECT 1"))  # what is held back is sent before a question, and its locks taken
            written.set()
            threading.Event().wait(0.5)  # the other comes to the same images before this one commits

    def follow() -> None:
        written.wait(10)
        assert held[1] is not None
        kit.settle(held[1], [rejected(item, Reason.FLAT) for item in held[1].items])

    assert not at_once(begin, follow)
    assert (kit.account(plain).state, kit.account(forced).state) == (RunState.FINISHED, RunState.FINISHED)
    with database.reading() as session:
        current = session.execute(select(WorkItem.run_id, WorkItem.state).where(WorkItem.current)).all()
    assert {tuple(row) for row in current} == {(forced, ItemState.REJECTED)}
    assert len(current) == len(NAMES)


def test_a_file_that_the_file_system_names_twice_is_found_once(kit: RunKit) -> None:
    run = kit.open().id
    assert kit.record(run, [b"a.png", b"e.png", b"a.png"]).pending == 2
    assert kit.account(run).found == 2


def test_a_file_that_is_named_again_later_in_the_walk_is_counted_once(
    kit: RunKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, before = kit.filled(NAMES[:2])
    kit.settle_all(before)
    files = [FoundFile(name, 100, 1) for name in NAMES]
    # Skipped, skipped, pending; then all of them again, one written to meanwhile, which this run reads.
    listed = [*files, files[0], FoundFile(NAMES[1], 100, 2), files[2]]
    monkeypatch.setattr(ingest, "walk", lambda *_, **__: iter(listed))
    monkeypatch.setattr(ingest, "FIRST_CHUNK", 2)
    run = kit.open().id
    report = ingest.fill_run(kit.database, RunToFill(run, "here:1:1", DIGEST, False, 4), {kit.root: b"/archive"})
    assert (report.pending, report.skipped, report.complete) == (2, 1, True)
    account = kit.account(run)
    assert (account.found, account.pending, account.skipped) == (3, 2, 1)


def test_what_was_rung_for_before_an_interruption_is_rung_for_again_at_once(kit: RunKit) -> None:
    run, recorded = kit.filled(NAMES)
    with kit.database.writing() as session:
        session.get_one(Batch, recorded.batch_ids[0]).rung_at = 4e9
        session.get_one(Run, run).state = RunState.INTERRUPTED
    assert kit.open(walker="here:2:2").id == run
    with kit.database.reading() as session:
        assert session.get_one(Batch, recorded.batch_ids[0]).rung_at is None
