"""A batch from claim to settled, on real files and both databases: good films, and one that kills or hangs."""

from __future__ import annotations

import hashlib
import os
import shutil

import pytest
from sqlalchemy import event, select

from schemas.alarms import AlarmKind
from schemas.errors import ServiceUnavailable
from schemas.reasons import Reason
from schemas.states import RunState
from schemas.tables import Batch, Image, StoredPrediction, WorkItem
from tests.program import eventually
from tests.reading_site import ReadingSite
from wetread.imaging.decode import decode
from wetread.imaging.step import CLAHE
from wetread.models.registry import Registry
from wetread.store.runs.alarms import run_alarms
from wetread.store.runs.deleting import delete_run
from wetread.store.work.leases import Claim, claim, release_dead
from wetread.store.work.stages import stage_seconds
from worker import batch as batch_module
from worker import lease_watchdog as keeper
from worker import reading
from worker.batch import Ending
from worker.stages import DECODE, NETWORK, READ, SETTLE


def test_a_batch_is_read_and_settled_and_a_second_delivery_finds_it_so(site: ReadingSite) -> None:
    batch = site.batch()
    assert batch is not None
    worker = site.worker()
    assert worker.process_batch(batch) == Ending.SETTLED
    assert worker.process_batch(batch) == Ending.NOT_FREE
    assert worker.process_batch(batch + 1000) == Ending.NOT_FREE
    assert (site.account().state, site.account().done) == (RunState.FINISHED, 6)
    assert all(row.worker == worker.owner for row in site.rows())
    worker.note_stages(site.run)
    with site.database.reading() as session:
        assert set(stage_seconds(session, site.run)) >= {DECODE, CLAHE, NETWORK, SETTLE, READ}
    assert stages_of_deleted(site) == {}


def test_a_worker_that_lacks_the_model_says_so_on_the_run_which_waits(site: ReadingSite) -> None:
    shutil.rmtree(site.settings.models_directory)
    batch = site.batch()
    assert batch is not None
    assert site.worker().process_batch(batch) == Ending.NO_MODEL
    account = site.account()
    assert (account.state, account.pending, account.trouble) == (RunState.RUNNING, 6, AlarmKind.NOT_LOADED)
    (alarm,) = run_alarms(account)
    assert alarm.message == f"A worker cannot read for run {site.run}: {account.trouble_why}"


def test_how_a_film_looks_to_the_network_is_kept_with_its_reading(site: ReadingSite) -> None:
    batch = site.batch()
    assert batch is not None
    site.worker().process_batch(batch)
    preprocess = Registry(site.database, site.settings.models_directory).open(site.digest).card.preprocess
    with site.database.reading() as session:
        kept = {row.sha256: (row.grey_mean, row.grey_deviation) for row in session.scalars(select(StoredPrediction))}
    assert len(kept) == 6
    for path in (path for path in site.archive.rglob("*") if path.is_file()):
        data = path.read_bytes()
        levels = preprocess.levels(decode(data).pixels)
        assert kept[hashlib.sha256(data).hexdigest()] == pytest.approx((levels.mean(), levels.std()), abs=1e-3)


def test_each_file_is_opened_once_and_a_batch_costs_few_statements(
    site: ReadingSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, taken = list[bytes](), list[int]()
    read_steady, read = reading.read_steady, os.read

    def counted(root: bytes, relative: bytes, **limits: int) -> object:
        opened.append(relative)
        return read_steady(root, relative, **limits)

    def measured(descriptor: int, count: int) -> bytes:
        data = read(descriptor, count)
        if os.readlink(f"/proc/self/fd/{descriptor}").startswith(str(site.archive)):
            taken.append(len(data))
        return data

    monkeypatch.setattr(reading, "read_steady", counted)
    monkeypatch.setattr(os, "read", measured)
    statements: list[str] = []
    event.listen(site.database._engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    site.settings = site.settings.model_copy(update={"lease_seconds": 60.0})  # on a busy machine it would be renewed
    worker, batch = site.worker(), site.batch()
    worker.shelf.take(site.digest, "numpy")
    statements.clear()
    assert batch is not None
    worker.process_batch(batch)
    assert sorted(opened) == sorted(set(opened))
    assert len(opened) == 6
    files = (path for path in site.archive.rglob("*") if path.is_file())
    assert sum(taken) == sum(path.stat().st_size for path in files), "every byte once"
    bare = [statement for statement in statements if not statement.startswith("BEGIN")]
    lookups = [statement for statement in bare if "predictions.sha256 IN" in statement]
    assert len(lookups) == 3, "for the first file, for the next four, and for what is left"
    assert len(bare) - len(lookups) <= 16, bare  # how many round trips they take: test_round_trips.py


def stages_of_deleted(site: ReadingSite) -> dict[str, float]:
    with site.database.writing() as session:
        delete_run(session, site.run)
    site.worker().note_stages(site.run)
    with site.database.reading() as session:
        return stage_seconds(session, site.run)


class Killed(BaseException):
    """The process would have been killed here."""


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(*_: int) -> None:
        raise Killed

    monkeypatch.setattr(keeper.os, "kill", kill)


@pytest.mark.usefixtures("killed")
def test_an_image_for_which_there_is_no_memory_ends_its_process_and_is_named_when_it_was_alone(
    site: ReadingSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site.database.reading() as session:
        bad = session.scalars(select(Image.path).order_by(Image.id)).first()
    assert bad is not None

    def refuse(data: bytes, enough: int | None) -> object:
        if data == (site.archive / os.fsdecode(bad)).read_bytes():
            raise MemoryError
        return decode(data, enough)

    batch = site.batch()
    assert batch is not None
    monkeypatch.setattr(reading, "decode", refuse)
    for alone in (False, True):
        worker = site.worker()
        with pytest.raises(Killed):
            worker.process_batch(batch)
        assert noted(site) == {(0, None), (1, Reason.OUT_OF_MEMORY)} if alone else {(0, None)}
        with site.database.writing() as session:
            release_dead(session, worker.owner)


def test_a_root_that_goes_while_images_are_tried_alone_costs_them_no_attempt(site: ReadingSite) -> None:
    batch = site.batch()
    assert batch is not None
    with site.database.writing() as session:
        assert claim(session, batch, "dead:1:1", 60.0)
        release_dead(session, "dead:1:1")
    site.archive.rename(site.home / "away")
    assert site.worker().process_batch(batch) == Ending.PAUSED
    assert noted(site) == {(0, None)}


def noted(site: ReadingSite) -> set[tuple[int, str | None]]:
    """Return what is noted on the images: their attempts, and why they failed."""
    with site.database.reading() as session:
        return {(attempts, reason) for attempts, reason in session.execute(select(WorkItem.attempts, WorkItem.reason))}


@pytest.mark.parametrize("taken", [False, True], ids=["still ours", "taken by another when its lease had run out"])
def test_a_batch_that_could_not_be_settled_is_given_back_and_nobody_died(
    site: ReadingSite, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    """The database is away for a lease, and back before this process gets another batch."""

    def away(*_: object, **__: object) -> None:
        raise ServiceUnavailable("away")

    batch, worker = site.batch(), site.worker()
    assert batch is not None
    with monkeypatch.context() as patched:
        patched.setattr(batch_module, "settle_together", away)
        with pytest.raises(ServiceUnavailable):
            worker.process_batch(batch)
    if taken:
        eventually(lambda: claimed_by_another(site, batch) is not None, what="the lease's end")
    with worker.in_doubt.working():
        worker.in_doubt.clear_if_idle(site.database, worker.owner)
        assert (owner_and_kills(site)[1] == 1) == taken, "a batch is in hand: it is this one, for all that thread knows"
    worker.in_doubt.clear_if_idle(site.database, worker.owner)
    assert owner_and_kills(site) == ("another:1:1" if taken else None, 0)
    held = claimed_by_another(site, batch)
    assert held is not None
    assert not held.one_at_a_time


def claimed_by_another(site: ReadingSite, batch: int) -> Claim | None:
    with site.database.writing() as session:
        return claim(session, batch, "another:1:1", 60.0)


def owner_and_kills(site: ReadingSite) -> tuple[str | None, int]:
    with site.database.reading() as session:
        owner, kills = session.execute(select(Batch.owner, Batch.kills)).one()
        return owner, kills
