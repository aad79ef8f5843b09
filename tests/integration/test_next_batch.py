"""What a process takes next: the batch that it chose while it read, or the oldest that waits."""

from __future__ import annotations

import pytest

from schemas.errors import ServiceUnavailable
from schemas.states import RunState
from tests.screened import RunKit
from wetread.store.runs.lifecycle import set_state
from wetread.store.work.leases import release
from worker.next_batch import AMONG, NextBatch


def test_the_batch_that_was_chosen_is_taken_and_its_images_are_told(kit: RunKit) -> None:
    run, recorded = kit.filled([b"%04d.png" % number for number in range(4 * AMONG + 8)])
    batches = NextBatch(kit.database, [run])
    chosen_at_all = set()
    for _ in range(60):
        told = batches.choose()
        chosen, running = batches.take()
        assert running and chosen is not None
        held = claimed_items(kit, chosen)
        assert [item.image_id for item in told] == held
        chosen_at_all.add(chosen)
    assert chosen_at_all <= set(recorded.batch_ids[:AMONG])
    assert len(chosen_at_all) > 1, "two processes that choose at once seldom choose the same"


def claimed_items(kit: RunKit, batch: int) -> list[int]:
    """Return the images of a batch, which is given back."""
    held = kit.claim(batch)
    assert held is not None
    with kit.database.writing() as session:
        release(session, held)
    return [item.image_id for item in held.items]


def test_without_a_choice_the_oldest_that_waits_is_taken(kit: RunKit) -> None:
    run, recorded = kit.filled([b"%03d.png" % number for number in range(12)])
    batches = NextBatch(kit.database, [run])
    assert batches.take() == (recorded.batch_ids[0], True)
    assert kit.claim(recorded.batch_ids[0]) is not None
    assert batches.take() == (recorded.batch_ids[1], True)
    batches.choose()
    batches.take()
    assert batches.take() == (recorded.batch_ids[1], True), "a choice is used once"


def test_nothing_is_chosen_where_nothing_waits(kit: RunKit) -> None:
    run, recorded = kit.filled([b"a.png"])
    batches = NextBatch(kit.database, [run])
    assert kit.claim(recorded.batch_ids[0]) is not None
    assert batches.choose() == ()
    assert batches.take() == (None, True)


def test_a_run_that_was_paused_meanwhile_is_not_gone_on_with(kit: RunKit) -> None:
    run, _ = kit.filled([b"a.png", b"b.png"])
    batches = NextBatch(kit.database, [run])
    assert len(batches.choose()) == 2
    with kit.database.writing() as session:
        set_state(session, run, RunState.PAUSED, "for a test")
    assert batches.take() == (None, False)


def test_the_shadows_batches_come_when_the_run_has_none(kit: RunKit) -> None:
    first, of_first = kit.filled([b"a.png"])
    assert kit.claim(of_first.batch_ids[0]) is not None
    second, of_second = kit.filled([b"a.png"], force=True)
    assert NextBatch(kit.database, [first, second]).take() == (of_second.batch_ids[0], True)


def test_a_database_that_does_not_answer_chooses_nothing(kit: RunKit, monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = kit.filled([b"a.png"])

    def away() -> None:
        raise ServiceUnavailable("away")

    batches = NextBatch(kit.database, [run])
    with monkeypatch.context() as patched:
        patched.setattr(kit.database, "reading", away)
        assert batches.choose() == ()
        with pytest.raises(ServiceUnavailable):
            batches.take()
    assert batches.take()[1]
