"""What a process behind a broker takes at a call, and that the first files of its next batch are opened meanwhile."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from schemas.tables import Batch, Image, WorkItem
from tests.program import eventually
from tests.reading_site import ReadingSite
from tests.screened import RunKit
from wetread.store.core.database import Database
from wetread.store.work.leases import claim, release_dead
from wetread.store.work.ringing import mark_rung, rung_batches
from worker import batch as batch_module
from worker import reading
from worker.batch import BatchWorker
from worker.batch_choice import CalledBatch, answer_call
from worker.next_batch import AMONG

SECOND_WAITS = 200.0


@pytest.fixture
def pairs(database: Database, tmp_path: Path, drawn_films: Path) -> ReadingSite:
    """Six films in batches of two, each of which was rung for."""
    shutil.copytree(drawn_films, tmp_path / "archive")
    site = ReadingSite(database, tmp_path / "home", tmp_path / "archive", batch_size=2)
    ring_all(database)
    return site


def ring_all(database: Database) -> list[int]:
    with database.writing() as session:
        batches = list(session.scalars(select(Batch.id).order_by(Batch.id)))
        mark_rung(session, batches)
    return batches


def batches_of(site: ReadingSite) -> dict[bytes, int]:
    """Return {path: batch} of all films."""
    with site.database.reading() as session:
        query = select(Image.path, WorkItem.batch_id).join(Image, Image.id == WorkItem.image_id)
        return {row.path: row.batch_id for row in session.execute(query)}


class Disk:
    """A file server that says what was opened, and gives nothing of what is held up until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened: list[bytes] = []
        self.held_up: set[bytes] = set()
        self.let_go = threading.Event()
        read_steady = reading.read_steady

        def opener(root: bytes, relative: bytes, **limits: int) -> object:
            self.opened.append(relative)
            if relative in self.held_up:
                assert self.let_go.wait(SECOND_WAITS)
            return read_steady(root, relative, **limits)

        monkeypatch.setattr(reading, "read_steady", opener)


def test_the_next_batchs_files_are_opened_before_the_first_is_settled_and_it_is_nobodys(
    pairs: ReadingSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, of = Disk(monkeypatch), batches_of(pairs)
    worker, batches = pairs.worker(), CalledBatch(pairs.database)
    first, *others = ring_all(pairs.database)
    disk.held_up = {path for path, batch in of.items() if batch != first}
    settle_together, seen = batch_module.settle_together, list[set[int]]()

    def watched(session, parts, **options):  # type: ignore[no-untyped-def]  # as the one that it stands for
        eventually(lambda: len(disk.opened) == 4, what="the opening of two more files")
        seen.append({of[path] for path in disk.opened} - {first})
        return settle_together(session, parts, **options)

    with monkeypatch.context() as patched:
        patched.setattr(batch_module, "settle_together", watched)
        answer_call(worker, batches, first)
    (early,) = seen
    assert len(early) == 1, "one batch ahead, and no more"
    assert early < set(others)
    with pairs.database.reading() as session:
        rows = session.execute(select(Batch.id, Batch.owner, Batch.fence, Batch.kills).where(Batch.id.in_(others)))
        assert {tuple(row[1:]) for row in rows} == {(None, 0, 0)}, "whoever ends now has nothing to give back"
    disk.let_go.set()

    answer_call(worker, batches, min(set(others) - early))
    assert [of[path] for path in disk.opened[2:4]] == [*early] * 2, "the call of another batch is answered by that one"
    assert pairs.account().done == 4
    answer_call(worker, batches, *early)
    assert len(disk.opened) == 6, "each file once"
    account = pairs.account()
    assert (account.state, account.done, account.dead) == ("finished", 6, 0), "and its call by the one that was named"


def test_a_process_that_dies_with_a_batch_in_hand_costs_the_next_one_nothing(
    pairs: ReadingSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """The process would have been killed here."""

    def kill(*_: object, **__: object) -> None:
        raise Killed

    disk, of, batches = Disk(monkeypatch), batches_of(pairs), CalledBatch(pairs.database)
    first, *_ = ring_all(pairs.database)
    dead = pairs.worker()
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(batch_module, "settle_together", kill)
        answer_call(dead, batches, first)
    eventually(lambda: {of[path] for path in disk.opened} - {first}, what="a file that is read early")
    (early,) = {of[path] for path in disk.opened} - {first}
    with pairs.database.writing() as session:
        assert release_dead(session, dead.owner) == 1
        kills = {row.id: row.kills for row in session.execute(select(Batch.id, Batch.kills))}
    assert {batch for batch, count in kills.items() if count} == {first}, "of the one that it held alone"
    assert kills[early] == 0

    other, calls = pairs.worker(), CalledBatch(pairs.database)
    while (batch := pairs.batch()) is not None:
        answer_call(other, calls, batch)
    account = pairs.account()
    assert (account.done, account.dead) == (6, 0)
    with pairs.database.reading() as session:
        items = session.execute(select(WorkItem.image_id, WorkItem.attempts))
        tried = {row.image_id: row.attempts for row in items}
        alone = set(session.scalars(select(WorkItem.image_id).where(WorkItem.batch_id == first)))
    assert {image for image, attempts in tried.items() if attempts} <= alone, "no other film was suspected"


def test_a_call_of_another_run_is_answered_by_that_run(kit: RunKit) -> None:
    mine, of_mine = kit.filled([b"%02d.png" % number for number in range(12)])
    ring_all(kit.database)
    _, of_other = kit.filled([b"%02d.png" % number for number in range(12)], force=True)
    ring_all(kit.database)
    batches = CalledBatch(kit.database)
    first, second, third = of_mine.batch_ids
    told = {item.image_id for item in batches.choose(beside=first)}
    assert len(told) == 4
    assert batches.take(of_other.batch_ids[0]) == of_other.batch_ids[0]
    chosen = batches.take(second)
    assert chosen in {second, third}, "the choice stays for a call of its run"
    assert batches.take(second) == second, "and is used once"
    with kit.database.reading() as session:
        assert rung_batches(session, AMONG) == [*of_mine.batch_ids, *of_other.batch_ids]
        assert rung_batches(session, AMONG, beside=first) == [second, third]
    assert mine == 1


def test_a_call_whose_batch_is_taken_is_answered_by_one_that_waits_and_was_rung_for(pairs: ReadingSite) -> None:
    first, _, third = ring_all(pairs.database)
    with pairs.database.writing() as session:
        session.get_one(Batch, third).rung_at = None
        assert claim(session, first, "another:1:1", 600.0) is not None
    worker, batches = pairs.worker(), CalledBatch(pairs.database)
    answer_call(worker, batches, first)
    assert unsettled(pairs) == {first, third}
    answer_call(worker, batches, first)
    answer_call(worker, batches, 10_000)
    assert unsettled(pairs) == {first, third}, "for what was not rung for, another call comes"


def test_a_call_whose_batch_is_gone_takes_the_one_whose_files_are_there(
    pairs: ReadingSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, of, batches = Disk(monkeypatch), batches_of(pairs), CalledBatch(pairs.database)
    worker: BatchWorker = pairs.worker()
    first, *_ = ring_all(pairs.database)
    answer_call(worker, batches, first)
    (early,) = {of[path] for path in disk.opened} - {first}
    answer_call(worker, batches, first)
    assert early not in unsettled(pairs) and len(unsettled(pairs)) == 1
    assert len(disk.opened) == len(set(disk.opened)), "each file once"


def test_a_call_whose_batch_is_gone_is_answered_by_its_own_run(kit: RunKit) -> None:
    kit.filled([b"%02d.png" % number for number in range(12)])
    _, later = kit.filled([b"%02d.png" % number for number in range(12)], force=True)
    ring_all(kit.database)
    batches = CalledBatch(kit.database)
    gone, *others = later.batch_ids
    assert kit.claim(gone) is not None
    assert {batches.another(gone, {others[0]}) for _ in range(20)} == {others[1]}
    assert batches.another(gone, set(others)) is None, "or none that was not tried"
    with kit.database.writing() as session:
        for number in others:
            session.get_one(Batch, number).rung_at = None
    assert batches.another(gone, set()) in rung(kit.database), "another run's, where its own has none"


def test_a_batch_that_this_worker_cannot_read_uses_up_no_call(
    pairs: ReadingSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = ring_all(pairs.database)
    with pairs.database.writing() as session:
        assert claim(session, first, "another:1:1", 600.0) is not None
    worker, batches, read = pairs.worker(), CalledBatch(pairs.database), list[int]()

    def process(_worker: BatchWorker, batch_id: int, _upcoming: object) -> batch_module.Ending:
        read.append(batch_id)
        return {first: batch_module.Ending.NOT_FREE, second: batch_module.Ending.NO_MODEL}.get(
            batch_id, batch_module.Ending.SETTLED
        )

    monkeypatch.setattr(BatchWorker, "process_batch", process)
    answer_call(worker, batches, first)
    assert read[0] == first and read[-1] == third


def rung(database: Database) -> list[int]:
    with database.reading() as session:
        return rung_batches(session, AMONG)


def unsettled(site: ReadingSite) -> set[int]:
    with site.database.reading() as session:
        return set(session.scalars(select(Batch.id).where(Batch.pending > 0)))


def test_files_that_were_read_early_are_dropped_while_no_call_comes(
    pairs: ReadingSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker: BatchWorker = pairs.worker()
    batches = CalledBatch(pairs.database)
    first, *_ = ring_all(pairs.database)
    answer_call(worker, batches, first)
    assert worker.files._early
    worker.in_doubt.clear_if_idle(pairs.database, worker.owner, worker.files.forget)
    assert not worker.files._early
