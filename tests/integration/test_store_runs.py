"""Runs, items and accounts, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from schemas.errors import LeaseLost, UsageError
from schemas.reasons import Reason
from schemas.states import ItemState, RunState
from schemas.tables import StoredPrediction, WorkItem
from tests.screened import DIGEST, RunKit, done, rejected
from wetread.store.results.counts import label_counts
from wetread.store.results.finding import Filters, find_results
from wetread.store.runs.deleting import delete_run
from wetread.store.runs.lifecycle import cancel_pending, open_run, set_state
from wetread.store.runs.retrying import retry_failed
from wetread.store.work.known_readings import known_readings
from wetread.store.work.leases import next_batches
from wetread.store.work.outcomes import Outcome

NAMES = [b"a.png", b"b/c.png", b"d\xff.png", b"e.png", b"f.png", b"g.png"]


def test_a_run_is_finished_when_all_that_was_found_is_settled(kit: RunKit) -> None:
    run = kit.open().id
    recorded = kit.record(run, NAMES)
    assert len(recorded.batch_ids) == 2
    kit.settle_all(recorded)
    assert kit.account(run).state == RunState.RUNNING, "the walk has not ended: more may come"
    kit.end_walk(run)
    account = kit.account(run)
    assert (account.state, account.found, account.done, account.pending) == (RunState.FINISHED, 6, 6, 0)
    assert account.labels == {"normal": 6}
    assert account.ended_at is not None


def test_uncertain_images_are_counted_under_their_label_and_can_be_asked_for(kit: RunKit) -> None:
    run, recorded = kit.filled(NAMES[:4])
    (batch,) = recorded.batch_ids
    held = kit.claim(batch)
    assert held is not None
    said = ["normal", "uncertain", "uncertain", "normal"]
    kit.settle(held, [done(item, decision=decision) for item, decision in zip(held.items, said, strict=True)])
    account = kit.account(run)
    assert (account.labels, account.uncertain) == ({"normal": 4}, {"normal": 2})
    with kit.database.reading() as session:
        unsure = [row.path for row in find_results(session, Filters(decision="uncertain"))]
        assert sorted(unsure) == sorted(b"/archive/" + held.items[number].path for number in (1, 2))
        assert label_counts(session, Filters()) == [(None, "cnn@1", "normal", 4, 2, pytest.approx(0.6))]


def test_a_copy_of_an_uncertain_image_is_uncertain_too(kit: RunKit) -> None:
    run, recorded = kit.filled(NAMES[:2])
    held = kit.claim(recorded.batch_ids[0])
    assert held is not None
    first = done(held.items[0], decision="uncertain")
    assert first.prediction is not None
    kit.settle(held, [first])
    with kit.database.reading() as session:
        linked = known_readings(session, [first.prediction.sha256], DIGEST)[first.prediction.sha256]
    again = kit.claim(recorded.batch_ids[0], owner=held.owner)
    copy = Outcome(
        held.items[1].image_id, ItemState.DONE, sha256=first.prediction.sha256, size=1, mtime_ns=1, linked=linked
    )
    kit.settle(again or held, [copy])
    assert kit.account(run).uncertain == {"normal": 2}


def test_a_second_run_skips_what_the_first_has_read_and_reads_what_changed(kit: RunKit) -> None:
    _, recorded = kit.filled(NAMES)
    kit.settle_all(recorded)
    run = kit.open().id
    assert kit.record(run, [*NAMES, b"new.png"]).pending == 1
    assert kit.record(run, [b"later.png"]).pending == 1
    account = kit.account(run)
    assert (account.found, account.skipped, account.pending) == (8, 6, 2)
    third = kit.open(force=True).id
    kit.record(third, [b"a.png"], mtime_ns=2)
    changed = kit.open().id
    assert changed == run
    assert kit.record(run, [b"a.png"], mtime_ns=2).pending == 1


def test_force_reads_again_and_keeps_one_prediction_an_image_and_model(kit: RunKit) -> None:
    first, recorded = kit.filled(NAMES)
    kit.settle_all(recorded)
    second, again = kit.filled(NAMES, force=True)
    assert again.pending == len(NAMES)
    kit.settle_all(again)
    assert kit.predictions() == len(NAMES)
    with kit.database.reading() as session:
        assert set(session.scalars(select(StoredPrediction.run_id))) == {second}
        assert {row.run for row in find_results(session, Filters())} == {second}
        assert len(list(find_results(session, Filters(run=first)))) == len(NAMES)


def test_the_same_command_resumes_its_run_and_counts_nothing_twice(kit: RunKit) -> None:
    _, before = kit.filled(NAMES[:2])
    kit.settle_all(before)
    run = kit.open().id
    kit.record(run, NAMES[:4])
    with kit.database.writing() as session:
        set_state(session, run, RunState.INTERRUPTED)
    again = kit.open(walker="here:2:2")
    assert (again.id, again.resumed, again.walks) == (run, True, True)
    recorded = kit.record(run, NAMES, walker="here:2:2")
    assert recorded.pending == 2
    account = kit.account(run)
    assert (account.found, account.skipped, account.pending) == (6, 2, 4)


def test_two_commands_at_once_share_a_run_and_only_one_walks_it(kit: RunKit) -> None:
    first = kit.open(walker="here:1:1")
    second = kit.open(walker="here:2:2")
    assert (second.id, second.walks) == (first.id, False)
    assert kit.record(first.id, NAMES, walker="here:2:2").run_ended, "only the walker records"
    assert kit.record(first.id, NAMES, walker="here:1:1").pending == len(NAMES)
    with kit.database.writing() as session:
        third = open_run(
            session, [kit.root], DIGEST, "numpy", force=False, walker="here:3:3", dead=lambda owner: owner == "here:1:1"
        )
    assert third.walks, "the walker is known to be dead"


def test_cancel_leaves_what_was_read_and_takes_the_rest_from_its_worker(kit: RunKit) -> None:
    run, recorded = kit.filled(NAMES)
    first, second = recorded.batch_ids
    read = kit.claim(first)
    assert read is not None
    kit.settle(read, [done(item) for item in read.items])
    busy = kit.claim(second)
    assert busy is not None
    with kit.database.writing() as session:
        assert set_state(session, run, RunState.CANCELLED)
    with kit.database.writing() as session:
        cancel_pending(session, run)
    with pytest.raises(LeaseLost):
        kit.settle(busy, [done(item) for item in busy.items])
    account = kit.account(run)
    assert (account.state, account.done, account.cancelled) == (RunState.CANCELLED, 4, 2)
    with kit.database.reading() as session:
        assert next(iter(next_batches(session, [run], 1)), None) is None


def test_what_the_world_refused_is_tried_again_and_what_the_bytes_are_is_not(kit: RunKit) -> None:
    _, recorded = kit.filled(NAMES[:3])
    held = kit.claim(*recorded.batch_ids)
    assert held is not None
    outcomes = [rejected(held.items[0], Reason.TRUNCATED), rejected(held.items[1], Reason.PERMISSION)]
    kit.settle(held, [*outcomes, done(held.items[2])])
    _, second = kit.filled(NAMES[:3])
    assert (second.pending, second.skipped) == (1, 2)


def test_an_image_that_cannot_be_reached_keeps_the_reading_it_had(kit: RunKit) -> None:
    first, recorded = kit.filled(NAMES[:1])
    kit.settle_all(recorded)
    _, again = kit.filled(NAMES[:1], force=True)
    held = kit.claim(*again.batch_ids)
    assert held is not None
    kit.settle(held, [rejected(held.items[0], Reason.VANISHED)])
    with kit.database.reading() as session:
        (row,) = find_results(session, Filters())
    assert (row.state, row.run) == (ItemState.DONE, first)


def test_retry_makes_failed_images_pending_with_no_attempts(kit: RunKit) -> None:
    run, recorded = kit.filled(NAMES[:3])
    held = kit.claim(*recorded.batch_ids)
    assert held is not None
    outcomes = [rejected(held.items[0], Reason.TRUNCATED), rejected(held.items[1], Reason.IO_ERROR)]
    kit.settle(held, [*outcomes, done(held.items[2])])
    with kit.database.writing() as session:
        assert retry_failed(session, run, [Reason.IO_ERROR], batch_size=4) == 1
    account = kit.account(run)
    assert (account.state, account.pending, account.rejected) == (RunState.RUNNING, 1, 1)
    assert account.rejected_reasons == {"truncated": 1}
    with kit.database.reading() as session:
        batch = next(iter(next_batches(session, [run], 1)), None)
    assert batch is not None
    held = kit.claim(batch)
    assert held is not None
    kit.settle(held, [done(item) for item in held.items])
    assert kit.account(run).state == RunState.FINISHED


def test_deleting_a_run_gives_its_images_back_to_the_run_before(kit: RunKit) -> None:
    first, recorded = kit.filled(NAMES[:2])
    kit.settle_all(recorded, content="old")
    second, again = kit.filled(NAMES, force=True)
    kit.settle_all(again, content="new")
    with kit.database.writing() as session:
        assert delete_run(session, second) == len(NAMES)
    with kit.database.reading() as session:
        rows = list(find_results(session, Filters()))
        assert session.scalar(select(func.count()).select_from(WorkItem)) == 2
    assert {row.run for row in rows} == {first}
    assert kit.predictions() == 2
    with pytest.raises(UsageError, match="no run"), kit.database.writing() as session:
        delete_run(session, second)
    running = kit.open().id
    with pytest.raises(UsageError, match="cancel it first"), kit.database.writing() as session:
        delete_run(session, running)


def test_two_batches_with_the_same_bytes_give_one_prediction(kit: RunKit) -> None:
    _, recorded = kit.filled(NAMES)
    for batch in recorded.batch_ids:
        held = kit.claim(batch)
        assert held is not None
        same = done(held.items[0])
        kit.settle(held, [done(item) if item is held.items[0] else _as(same, item.image_id) for item in held.items])
    assert kit.predictions() == 2


def _as(outcome: object, image_id: int):

    return replace(outcome, image_id=image_id)  # type: ignore[type-var]  # every outcome is a dataclass
