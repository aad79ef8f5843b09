"""Who holds a batch: claimed once, given back, lost to another, and deaths and attempts counted, on both databases."""

from __future__ import annotations

import threading

import pytest

from schemas.errors import LeaseLost
from schemas.reasons import Reason
from tests.screened import RunKit, done
from wetread.store.work.attempts import count_attempt, note_death
from wetread.store.work.leases import release, release_dead, renew

NAMES = [b"a.png", b"b/c.png", b"d\xff.png", b"e.png", b"f.png", b"g.png"]


def test_a_worker_that_slept_past_its_lease_changes_nothing(kit: RunKit) -> None:
    run, recorded = kit.filled(NAMES[:3])
    (batch,) = recorded.batch_ids
    sleeper = kit.claim(batch, "sleeper:1:1", lease_seconds=-1.0)
    taker = kit.claim(batch, "taker:1:1")
    assert sleeper is not None
    assert taker is not None
    assert taker.one_at_a_time, "its first owner was silent past its lease: one of the images may be the cause"
    with pytest.raises(LeaseLost):
        kit.settle(sleeper, [done(item, label="covid") for item in sleeper.items])
    with pytest.raises(LeaseLost), kit.database.writing() as session:
        renew(session, sleeper, 60.0)
    kit.settle(taker, [done(item) for item in taker.items])
    with pytest.raises(LeaseLost):
        kit.settle(sleeper, [done(item, label="covid") for item in sleeper.items])
    assert kit.account(run).labels == {"normal": 3}
    assert kit.predictions() == 3


def test_a_batch_is_claimed_once_however_many_ask(kit: RunKit) -> None:
    _, recorded = kit.filled(NAMES[:3])
    (batch,) = recorded.batch_ids
    held = []
    barrier = threading.Barrier(8)

    def ask(number: int) -> None:
        barrier.wait()
        held.append(kit.claim(batch, f"w:{number}:1"))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(claim is not None for claim in held) == 1


def test_a_release_counts_no_death_and_a_death_is_counted(kit: RunKit) -> None:
    _, recorded = kit.filled(NAMES[:3])
    (batch,) = recorded.batch_ids
    held = kit.claim(batch)
    assert held is not None
    assert kit.claim(batch, "other:1:1") is None
    with kit.database.writing() as session:
        release(session, held)
    again = kit.claim(batch)
    assert again is not None
    assert not again.one_at_a_time
    with kit.database.writing() as session:
        assert release_dead(session, again.owner) == 1
    after = kit.claim(batch)
    assert after is not None
    assert after.one_at_a_time


def test_attempts_are_counted_before_an_image_is_touched_and_survive_the_worker(kit: RunKit) -> None:
    _, recorded = kit.filled(NAMES[:2])
    (batch,) = recorded.batch_ids
    held = kit.claim(batch, lease_seconds=-1.0)
    assert held is not None
    with kit.database.writing() as session:
        count_attempt(session, held, held.items[0].image_id)
        note_death(session, held, held.items[0].image_id, Reason.OUT_OF_TIME, "took long")
    after = kit.claim(batch, "next:1:1")
    assert after is not None
    noted = [(item.attempts, item.reason, item.detail) for item in after.items]
    assert noted == [(1, Reason.OUT_OF_TIME, "took long"), (0, None, None)]
    with pytest.raises(LeaseLost), kit.database.writing() as session:
        count_attempt(session, held, held.items[0].image_id)
    with pytest.raises(LeaseLost), kit.database.writing() as session:
        note_death(session, held, held.items[1].image_id, Reason.OUT_OF_TIME, "it slept, and the batch is another's")
