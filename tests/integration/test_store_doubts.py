"""What is counted of a worker that may live is counted once, and taken back once; what is said twice is heard once."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from schemas.errors import LeaseLost
from schemas.tables import Batch, WorkItem
from tests.screened import RunKit, done
from wetread.store.work.attempts import count_attempt
from wetread.store.work.doubts import disown, disown_all, take_back
from wetread.store.work.leases import Claim, release_dead
from wetread.store.work.settling import settle_together

NAMES = [b"a.png", b"b.png", b"c.png"]


@pytest.fixture
def batch(kit: RunKit) -> int:
    _, recorded = kit.filled(NAMES)
    return recorded.batch_ids[0]


def claimed(kit: RunKit, batch: int, owner: str, lease_seconds: float = -1.0) -> Claim:
    held = kit.claim(batch, owner, lease_seconds)
    assert held is not None
    return held


def counted(kit: RunKit) -> tuple[int, list[int]]:
    """Return the kills of the batch, and the attempts of its images."""
    with kit.database.reading() as session:
        (kills,) = session.scalars(select(Batch.kills))
        return kills, list(session.scalars(select(WorkItem.attempts).order_by(WorkItem.image_id)))


def attempt(kit: RunKit, held: Claim, image: int = 0) -> None:
    with kit.database.writing() as session:
        count_attempt(session, held, held.items[image].image_id)


def test_a_worker_that_lives_takes_back_what_was_said_of_it_and_of_no_other(kit: RunKit, batch: int) -> None:
    first = claimed(kit, batch, "first:1:1")
    attempt(kit, first)
    second = claimed(kit, batch, "second:2:2")
    attempt(kit, second)
    attempt(kit, second, 1)
    third = claimed(kit, batch, "third:3:3", 60.0)
    assert counted(kit) == (2, [2, 1, 0])
    assert [(one.owner, one.image_id) for one in third.doubts] == [
        ("first:1:1", first.items[0].image_id), ("second:2:2", first.items[1].image_id),
    ]  # fmt: skip
    for _ in range(2):  # its answer was lost
        with kit.database.writing() as session:
            take_back(session, [batch], "second:2:2")
        assert counted(kit) == (1, [2, 0, 0]), "what it took alone last, since what was before that it settled"
    with kit.database.writing() as session:
        disown(session, [batch], "first:1:1")
    assert counted(kit) == (0, [1, 0, 0])
    kit.settle(third, [done(item) for item in third.items])


def test_an_attempt_is_counted_once_of_a_claim_and_again_of_the_next(kit: RunKit, batch: int) -> None:
    held = claimed(kit, batch, "w:1:1")
    for _ in range(3):
        attempt(kit, held)
    assert counted(kit) == (0, [1, 0, 0])
    attempt(kit, claimed(kit, batch, "w:2:2"))
    assert counted(kit) == (1, [2, 0, 0])


def test_a_claim_whose_answer_was_lost_is_had_by_asking_again(kit: RunKit, batch: int) -> None:
    unheard = claimed(kit, batch, "w:1:1", 60.0)
    assert kit.claim(batch, "other:2:2") is None
    for lease_seconds in (60.0, -1.0, 60.0):  # also when its lease has run out meanwhile
        held = claimed(kit, batch, "w:1:1", lease_seconds)
        assert (held.one_at_a_time, held.took_over) == (False, False), "nobody died"
    assert counted(kit) == (0, [0, 0, 0])
    with pytest.raises(LeaseLost):
        kit.settle(unheard, [done(item) for item in unheard.items])
    kit.settle(held, [done(item) for item in held.items])


@pytest.mark.parametrize("images", [3, 1], ids=["a whole batch", "an image alone"])
def test_a_settlement_that_was_written_is_not_written_again(kit: RunKit, batch: int, images: int) -> None:
    held = claimed(kit, batch, "w:1:1", 60.0)
    outcomes = [done(item) for item in held.items[:images]]
    for _ in range(3):  # the first may be a repetition too: of one that did not come to its end
        with kit.database.writing() as session:
            assert settle_together(session, [(held, outcomes)], again=True) == [None]
    with kit.database.reading() as session:
        (run,) = session.scalars(select(Batch.run_id))
        (pending,) = session.scalars(select(Batch.pending))
    account = kit.account(run)
    assert (account.done, account.pending, pending) == (images, 3 - images, 3 - images)


def test_what_another_has_taken_is_not_said_to_be_ours(kit: RunKit, batch: int) -> None:
    held = claimed(kit, batch, "w:1:1")
    taker = claimed(kit, batch, "taker:2:2", 60.0)
    kit.settle(taker, [done(item) for item in taker.items])
    with kit.database.writing() as session:
        (fault,) = settle_together(session, [(held, [done(item) for item in held.items])], again=True)
    assert isinstance(fault, LeaseLost)


def test_what_a_process_held_that_ended_in_order_is_free_and_no_death(kit: RunKit, batch: int) -> None:
    attempt(kit, claimed(kit, batch, "w:1:1", 60.0))
    with kit.database.writing() as session:
        disown_all(session, "w:1:1")
    assert counted(kit) == (0, [0, 0, 0])
    attempt(kit, claimed(kit, batch, "w:2:2", 60.0))
    with kit.database.writing() as session:
        assert release_dead(session, "w:2:2") == 1
    assert counted(kit) == (1, [1, 0, 0]), "a death is one, and stays"
