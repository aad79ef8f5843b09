"""Which batches of a companion run are taken together with those that they ride on, on both databases."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from schemas.states import RunState
from schemas.tables import Model
from tests.screened import DIGEST, LABELS, RunKit, done, nobody_died
from wetread.clock import utc_now
from wetread.store.core.database import Database
from wetread.store.core.image_set import ImageSet
from wetread.store.images.recording import FoundFile, RunToFill, record_files
from wetread.store.runs.lifecycle import open_run, set_state
from wetread.store.work.leases import Claim, release, release_dead

OTHER = "b" * 64
MINE, ANOTHERS = "w:1:1", "w:2:2"


@dataclass
class Pair:
    """A run's one batch, and its companion's, which rides on it."""

    kit: RunKit
    run: int
    companion: int
    batch: int

    def claim(self, owner: str = MINE) -> Claim:
        held = self.kit.claim(self.batch, owner)
        assert held is not None
        return held

    def release(self, *held: Claim) -> None:
        with self.kit.database.writing() as session:
            for one in held:
                release(session, one)


@pytest.fixture
def pair(database: Database) -> Pair:
    kit = RunKit(database)
    run = kit.open().id
    with database.writing() as session:
        session.add(
            Model(
                digest=OTHER, name="other", version=1, directory="other/1", labels=list(LABELS),
                decision_digest="d" * 64, registered_at=utc_now(),
            )
        )  # fmt: skip
        session.flush()
        companion = open_run(
            session, [kit.root], OTHER, "numpy", force=False, walker="here:1:1", dead=nobody_died, shadow_of=run
        ).id
        runs = (RunToFill(run, "here:1:1", DIGEST, False, 4), RunToFill(companion, "here:1:1", OTHER, False, 4, run))
        found = [FoundFile(name, 100, 1) for name in (b"a.png", b"b.png")]
        batch, _ = (record_files(session, filled, kit.root, found, ImageSet()).batch_ids[0] for filled in runs)
    return Pair(kit, run, companion, batch)


def settle_first(pair: Pair, held: Claim, count: int) -> None:
    pair.kit.settle(held, [done(item) for item in held.items[:count]])


def test_it_is_taken_to_its_last_image_and_then_no_more(pair: Pair) -> None:
    held = pair.claim()
    (rider,) = held.riders
    assert (rider.run_id, len(rider.items)) == (pair.companion, 2)
    settle_first(pair, rider, 1)
    pair.release(held)
    again = pair.claim()
    (rider,) = again.riders
    assert [item.path for item in rider.items] == [b"b.png"], "its last image is read like any other"
    settle_first(pair, rider, 1)
    pair.release(again)
    assert pair.claim().riders == (), "nothing of it is left to read"
    assert (pair.kit.account(pair.companion).done, pair.kit.account(pair.run).pending) == (2, 2)


def test_one_that_another_holds_or_whose_run_is_paused_stays(pair: Pair) -> None:
    held = pair.claim()
    (rider,) = held.riders
    with pair.kit.database.writing() as session:
        release(session, replace(held, riders=()))
    assert pair.claim(ANOTHERS).riders == (), "the companion's batch is still the first worker's"
    assert pair.kit.claim(rider.batch_id, ANOTHERS) is None
    pair.release(rider)
    with pair.kit.database.writing() as session:
        set_state(session, pair.companion, RunState.PAUSED, "for a test")
    assert pair.claim(ANOTHERS).riders == ()


def test_after_a_death_on_either_each_is_taken_by_itself(pair: Pair) -> None:
    (rider,) = pair.claim().riders
    with pair.kit.database.writing() as session:
        assert release_dead(session, MINE) == 2
    assert pair.claim().riders == ()
    alone = pair.kit.claim(rider.batch_id, ANOTHERS)
    assert alone is not None
    assert (alone.one_at_a_time, len(alone.items)) == (True, 2)
