"""Two models on one batch: each file opened and decoded once, and neither model's fate is the other's."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, text

from producer.ingest import fill_run
from schemas.states import RunState
from schemas.tables import Batch
from tests.deployed import kedas_query
from tests.program import films
from tests.screened import nobody_died
from tests.tiny_model import publish_tiny_model, tiny_contents
from wetread.models.gate import GATE_KIND
from wetread.models.registry import Registry
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.images.recording import RunToFill
from wetread.store.results.finding import Filters, find_results
from wetread.store.roots.adding import root_ids
from wetread.store.runs.accounts import RunAccount, run_account
from wetread.store.runs.deleting import delete_run
from wetread.store.runs.lifecycle import cancel_pending, open_run, set_state
from wetread.store.runs.totals import count_unsettled_batches, read_totals
from wetread.store.work.leases import claim, next_batches, release_dead
from wetread.store.work.ringing import batches_to_ring
from worker import reading
from worker.batch import BatchWorker, Ending
from worker.identity import worker_id
from worker.models import ModelShelf

DECODED: list[int] = []


class Pair:
    """An archive, a run over it and its shadow, and workers on demand."""

    def __init__(self, database: Database, home: Path, archive: Path) -> None:
        self.database, self.home, self.archive = database, home, archive
        self.mine = publish_tiny_model(database.url, home)
        self.theirs = publish_tiny_model(database.url, home, "other", seed=5)
        self.settings = Settings(home=home, lease_seconds=30)

    def begin(self, *, walker: str = "t:1:1", shadow: bool = True, batch_size: int = 64) -> tuple[int, int]:
        """Open both runs, or resume them, and fill them; return their numbers, 0 for none."""
        path = os.fsencode(self.archive)
        with self.database.writing() as session:
            (root,) = root_ids(session, [path])
            first = open_run(session, [root], self.mine, "numpy", force=False, walker=walker, dead=nobody_died).id
            second = 0
            if shadow:
                second = open_run(
                    session, [root], self.theirs, "numpy", force=False, walker=walker, dead=nobody_died, shadow_of=first
                ).id
        runs = [RunToFill(first, walker, self.mine, False, batch_size)]
        if shadow:
            runs.append(RunToFill(second, walker, self.theirs, False, batch_size, beside=first))
        fill_run(self.database, runs[0], {root: path}, *runs[1:])
        return first, second

    def worker(self, models: Path | None = None) -> BatchWorker:
        shelf = ModelShelf(Registry(self.database, models or self.settings.models_directory))
        return BatchWorker(self.database, self.settings, shelf, worker_id())

    def batch(self, run: int) -> int | None:
        with self.database.reading() as session:
            return next(iter(next_batches(session, [run], 1)), None)

    def read(self, run: int) -> None:
        while (batch := self.batch(run)) is not None:
            assert self.worker().process_batch(batch) == Ending.SETTLED

    def account(self, run: int) -> RunAccount:
        with self.database.reading() as session:
            account = run_account(session, run)
        ended = account.pending + account.done + account.rejected + account.dead + account.cancelled + account.skipped
        assert account.found == ended
        return account

    def state(self, run: int) -> tuple[RunState, int, int]:
        account = self.account(run)
        return account.state, account.done, account.pending


@pytest.fixture(scope="session")
def three_films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("three")
    films(directory, patients=3, seed=4)
    (directory / "manifest.csv").unlink()
    return directory


@pytest.fixture
def pair(database: Database, tmp_path: Path, three_films: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    decode = reading.decode

    def counted(data: bytes, enough: int | None) -> object:
        DECODED.append(len(data))
        return decode(data, enough)

    monkeypatch.setattr(reading, "decode", counted)
    DECODED.clear()
    shutil.copytree(three_films, tmp_path / "archive")
    return Pair(database, tmp_path / "home", tmp_path / "archive")


def test_each_film_is_decoded_once_and_read_by_both(pair: Pair) -> None:
    first, second = pair.begin()
    assert pair.batch(second) is None, "it is read with the first's, and by nobody else"
    pair.read(first)
    assert len(DECODED) == 3
    assert pair.state(first) == pair.state(second) == (RunState.FINISHED, 3, 0)
    with pair.database.reading() as session:
        rows = list(find_results(session, Filters(model_digest=pair.theirs)))
        assert run_account(session).id == first, "a shadow is not the latest run"
    registered = Registry(pair.database, pair.settings.models_directory).open(pair.theirs)
    assert {(row.run, row.decision_digest) for row in rows} == {(second, registered.decision.digest)}


@pytest.mark.parametrize("begun_before", [False, True])
def test_a_walk_that_was_done_before_the_shadow_came_is_shared_all_the_same(pair: Pair, begun_before: bool) -> None:
    if begun_before:
        first, _ = pair.begin(shadow=False, batch_size=2)
        with pair.database.writing() as session:
            set_state(session, first, RunState.INTERRUPTED)
    first, second = pair.begin(walker="t:2:2", batch_size=2)
    pair.read(first)
    assert len(DECODED) == 3
    assert pair.state(second) == (RunState.FINISHED, 3, 0)


def test_what_the_first_has_read_is_read_by_the_shadow_alone_and_rung_for_last(pair: Pair) -> None:
    first, _ = pair.begin(shadow=False)
    pair.read(first)
    (pair.archive / "new").mkdir()
    films(pair.archive / "new", patients=1, seed=9)
    (pair.archive / "new" / "manifest.csv").unlink()
    again, second = pair.begin(walker="t:2:2")
    assert (pair.account(again).skipped, pair.account(second).pending) == (3, 4)
    with pair.database.reading() as session:
        due = batches_to_ring(session, high_water=10, patience=60)
        owners = [session.get_one(Batch, batch).run_id for batch in due]
    assert owners == [again, second]
    pair.read(again)
    assert pair.state(second) == (RunState.RUNNING, 1, 3)
    pair.read(second)
    assert pair.state(second) == (RunState.FINISHED, 4, 0)
    assert len(DECODED) == 7


def test_workers_are_scaled_by_pairs_and_not_by_models(pair: Pair) -> None:
    def unsettled() -> int:
        with pair.database.reading() as session:
            counted = count_unsettled_batches(session)
            assert session.execute(text(kedas_query())).scalar_one() == counted == read_totals(session).unsettled
        return counted

    first, second = pair.begin(batch_size=2)
    assert unsettled() == 2, "three films in two batches, each read by both"
    batch = pair.batch(first)
    with pair.database.writing() as session:
        assert claim(session, batch or 0, "w:1:1", 30.0) is not None
    assert unsettled() == 2
    with pair.database.writing() as session:
        release_dead(session, "w:1:1")
    assert unsettled() == 3, "the pair that killed its worker is taken one by one"
    pair.read(first)
    pair.read(second)
    assert unsettled() == 0


def test_after_a_death_each_is_read_by_itself(pair: Pair) -> None:
    first, second = pair.begin()
    batch = pair.batch(first)
    assert batch is not None
    with pair.database.writing() as session:
        held = claim(session, batch, "dead:1:1", 60.0)
        assert held is not None and len(held.riders) == 1
        assert claim(session, held.riders[0].batch_id, "other:1:1", 60.0) is None
    with pair.database.writing() as session:
        assert release_dead(session, "dead:1:1") == 2
        alone = claim(session, batch, "next:1:1", 60.0)
        assert alone is not None and (alone.one_at_a_time, alone.riders) == (True, ())
        release_dead(session, "next:1:1")
    pair.read(first)
    assert pair.state(second) == (RunState.RUNNING, 0, 3)
    pair.read(second)
    assert pair.state(first) == pair.state(second) == (RunState.FINISHED, 3, 0)


def test_a_worker_without_the_shadows_files_reads_the_run_and_gives_the_rest_back(pair: Pair, tmp_path: Path) -> None:
    shutil.copytree(pair.settings.models_directory, tmp_path / "poor")
    shutil.rmtree(tmp_path / "poor" / "other")
    first, second = pair.begin()
    batch = pair.batch(first)
    assert batch is not None
    assert pair.worker(tmp_path / "poor").process_batch(batch) == Ending.SETTLED
    assert pair.state(first) == (RunState.FINISHED, 3, 0)
    waiting = pair.batch(second)
    assert waiting is not None
    assert pair.worker(tmp_path / "poor").process_batch(waiting) == Ending.NO_MODEL
    pair.read(second)
    assert pair.state(second) == (RunState.FINISHED, 3, 0)


def test_what_the_shadows_gate_refuses_is_rejected_for_the_shadow_alone(pair: Pair) -> None:
    gate = {"kind": GATE_KIND, "side": 2, "floor": 1.0, "weights": [0.0] * 4, "bias": 1.0, "threshold": 0.0}
    registry = Registry(pair.database, pair.settings.models_directory)
    pair.theirs = registry.publish(replace(tiny_contents("strict", seed=6), gate=gate)).digest
    first, second = pair.begin()
    pair.read(first)
    assert pair.account(first).done == 3
    assert pair.account(second).rejected_reasons == {"not_a_film": 3}


def test_a_shadow_that_is_cancelled_or_gone_leaves_the_run_alone(pair: Pair) -> None:
    first, second = pair.begin()
    with pair.database.writing() as session:
        set_state(session, second, RunState.CANCELLED)
    with pair.database.writing() as session:
        cancel_pending(session, second)
    pair.read(first)
    assert pair.state(first) == (RunState.FINISHED, 3, 0)
    assert pair.account(second).cancelled == 3


def test_the_same_command_goes_on_with_the_shadow_when_only_that_is_unfinished(pair: Pair) -> None:
    first, second = pair.begin()
    with pair.database.writing() as session:
        set_state(session, second, RunState.INTERRUPTED)
    pair.read(first)
    assert pair.state(second) == (RunState.INTERRUPTED, 0, 3)
    again, continued = pair.begin(walker="t:2:2")
    assert (continued, again > second) == (second, True)
    pair.read(continued)
    assert pair.state(continued) == (RunState.FINISHED, 3, 0)
    assert pair.account(continued).shadow_of == again
    with pair.database.writing() as session:
        delete_run(session, again)
    assert pair.account(continued).shadow_of is None


def test_a_shadow_that_loses_its_lease_does_not_keep_the_run_from_settling(pair: Pair) -> None:
    first, second = pair.begin()
    batch = pair.batch(first)
    assert batch is not None
    worker = pair.worker()
    taken: list[int] = []

    class Losing(ModelShelf):
        def take(self, *of: str | None) -> object:
            if not taken:
                with pair.database.writing() as session:
                    rider = session.scalars(select(Batch).where(Batch.rides_on == batch)).one()
                    rider.owner, rider.fence = "thief:1:1", rider.fence + 1
                    taken.append(rider.id)
            return super().take(*of)  # type: ignore[arg-type]  # as it was called

    losing = Losing(worker.shelf.registry)
    assert replace(worker, shelf=losing).process_batch(batch) == Ending.SETTLED
    assert pair.state(first) == (RunState.FINISHED, 3, 0)
    assert pair.state(second) == (RunState.RUNNING, 0, 3)


def test_nothing_of_the_two_is_claimed_without_the_other_half_way(pair: Pair) -> None:
    first, second = pair.begin(batch_size=1)
    claimed: list[Sequence[int]] = []
    while (batch := pair.batch(first)) is not None:
        with pair.database.writing() as session:
            held = claim(session, batch, "w:1:1", 60.0)
        assert held is not None
        claimed.append([item.image_id for one in (held, *held.riders) for item in one.items])
    assert pair.batch(second) is None
    assert [len(set(images)) for images in claimed] == [1, 1, 1]
    assert [len(images) for images in claimed] == [2, 2, 2]
