"""Films are deleted with all that was read of them, at any moment: every run's accounts stay true."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from schemas.errors import LeaseLost
from schemas.films import FilmHeader
from schemas.reasons import Reason
from schemas.states import ItemState, RunState
from schemas.tables import Image, StoredHeader, StoredPrediction, WorkItem
from tests.screened import DIGEST, RunKit, done, rejected
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema
from wetread.store.roots.erasing import Erased, erase_images, find_images
from wetread.store.runs.deleting import delete_run
from wetread.store.work.known_readings import known_readings
from wetread.store.work.outcomes import Outcome

NAMES = [
    b"doe/a.png",
    b"doe/b.png",
    b"doe_smith/c.png",
    b"roe/d.png",
]  # in order of their bytes, as images are numbered


@pytest.fixture
def local(tmp_path: Path) -> Iterator[RunKit]:
    """A run kit on SQLite alone, for what asks nothing of a database's own."""
    database = Database(f"sqlite:///{tmp_path / 'results.db'}")
    ensure_schema(database)
    yield RunKit(database)
    database.dispose()


def erase(kit: RunKit, *, path: bytes | None = None, **chosen: str | None) -> Erased:
    with kit.database.reading() as session:
        images = find_images(session, path=path, **chosen)
    with kit.database.writing() as session:
        return erase_images(session, images)


def rows(kit: RunKit, table: type[Image | WorkItem | StoredHeader | StoredPrediction]) -> int:
    with kit.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def copy_of(kit: RunKit, original: Outcome, image_id: int) -> Outcome:
    """An outcome for other files with the same bytes, as a worker that looked them up has it."""
    sha256 = original.sha256 or ""
    with kit.database.reading() as session:
        linked = known_readings(session, [sha256], DIGEST)[sha256]
    return Outcome(image_id, ItemState.DONE, sha256=sha256, size=100, mtime_ns=1, linked=linked)


@pytest.mark.parametrize("path", [b"/archive/doe/", b"doe/"])
def test_a_patients_films_leave_every_run_and_nobody_elses_do(kit: RunKit, path: bytes) -> None:
    runs = []
    for force in (False, True):
        run, recorded = kit.filled(NAMES, force=force)
        held = kit.claim(*recorded.batch_ids)
        assert held is not None
        first, second, *rest = held.items
        told = [done(first, decision="uncertain"), rejected(second, Reason.TRUNCATED), *map(done, rest)]
        kit.settle(held, told)
        runs.append(run)
    assert erase(kit, path=path) == Erased(images=2, items=4, readings=1)
    for run in runs:
        account = kit.account(run)
        assert (account.found, account.done, account.rejected) == (2, 2, 0)
        assert (account.labels, account.uncertain, account.rejected_reasons) == ({"normal": 2}, {}, {})
    assert (rows(kit, Image), rows(kit, WorkItem), rows(kit, StoredPrediction)) == (2, 4, 2)
    assert erase(kit, path=path) == Erased()


def test_a_reading_stays_for_the_copy_of_a_film_and_its_bytes_name_both(kit: RunKit) -> None:
    run, recorded = kit.filled(NAMES)
    held = kit.claim(*recorded.batch_ids)
    assert held is not None
    original = done(held.items[0])
    kit.settle(held, [original])
    kit.settle(held, [*(copy_of(kit, original, held.items[n].image_id) for n in (2, 3)), done(held.items[1])])
    assert erase(kit, path=b"/archive/doe/a") == Erased(images=1, items=1, readings=0)
    assert erase(kit, sha256=original.sha256) == Erased(images=2, items=2, readings=1)
    account = kit.account(run)
    assert (account.found, account.done, account.labels) == (1, 1, {"normal": 1})


def test_a_worker_loses_a_batch_of_which_a_film_was_deleted_and_the_rest_is_read(kit: RunKit) -> None:
    run, recorded = kit.filled(NAMES)
    held = kit.claim(*recorded.batch_ids)
    assert held is not None
    assert erase(kit, path=b"doe/").images == 2
    with pytest.raises(LeaseLost):
        kit.settle(held, [done(item) for item in held.items])
    again = kit.claim(held.batch_id, "other:1:1")
    assert again is not None
    assert [item.path for item in again.items] == NAMES[2:]
    assert not again.one_at_a_time, "nobody died"
    kit.settle(again, [done(item) for item in again.items])
    account = kit.account(run)
    assert (account.state, account.found, account.done) == (RunState.FINISHED, 2, 2)


def test_a_run_of_which_all_is_deleted_is_finished(local: RunKit) -> None:
    run, _ = local.filled(NAMES)
    assert erase(local, path=b"/archive/").images == 4
    account = local.account(run)
    assert (account.state, account.found, account.pending) == (RunState.FINISHED, 0, 0)


def test_a_film_that_is_still_in_the_archive_is_found_and_read_again(local: RunKit) -> None:
    _, recorded = local.filled(NAMES)
    local.settle_all(recorded)
    erase(local, path=b"doe/")
    run, again = local.filled(NAMES)
    assert (again.skipped, again.pending) == (2, 2)
    local.settle_all(again)
    assert local.account(run).done == 2


def test_labels_that_a_later_run_has_replaced_are_counted_as_they_are_now(local: RunKit) -> None:
    first, recorded = local.filled(NAMES)
    local.settle_all(recorded)
    _, again = local.filled(NAMES, force=True)
    held = local.claim(*again.batch_ids)
    assert held is not None
    local.settle(held, [done(item, label="covid") for item in held.items])
    erase(local, path=b"doe/")
    assert local.account(first).labels == {"covid": 2}


def test_dicom_films_are_deleted_by_patient_and_by_study_with_their_headers(kit: RunKit) -> None:
    run, recorded = kit.filled(NAMES)
    held = kit.claim(*recorded.batch_ids)
    assert held is not None
    told = {"doe": FilmHeader(study_uid="1.2.3", patient_hash="a" * 64), "roe": FilmHeader(study_uid="1.2.4")}
    headers = [told.get(os.fsdecode(item.path).partition("/")[0]) for item in held.items]
    kit.settle(held, [replace(done(item), header=header) for item, header in zip(held.items, headers, strict=True)])
    assert rows(kit, StoredHeader) == 3
    assert erase(kit, study_uid="1.2.3", patient_hash="b" * 64) == Erased()
    assert erase(kit, patient_hash="a" * 64) == Erased(images=2, items=2, readings=2)
    assert erase(kit, study_uid="1.2.4") == Erased(images=1, items=1, readings=1)
    assert rows(kit, StoredHeader) == 0
    assert kit.account(run).done == 1


@pytest.mark.parametrize("how", ["the run", "the film"])
def test_a_copy_whose_reading_was_deleted_meanwhile_is_read_again(kit: RunKit, how: str) -> None:
    before, recorded = kit.filled(NAMES[:1])
    held = kit.claim(*recorded.batch_ids)
    assert held is not None
    original = done(held.items[0])
    kit.settle(held, [original])
    run, recorded = kit.filled(NAMES[2:])
    held = kit.claim(*recorded.batch_ids)
    assert held is not None
    outcomes = [copy_of(kit, original, held.items[0].image_id), done(held.items[1])]
    if how == "the run":
        with kit.database.writing() as session:
            assert delete_run(session, before) == 1
    else:
        assert erase(kit, path=b"doe/").readings == 1
    kit.settle(held, outcomes)
    account = kit.account(run)
    assert (account.state, account.done, account.pending) == (RunState.RUNNING, 1, 1)
    again = kit.claim(held.batch_id, "other:1:1")
    assert again is not None
    assert [item.image_id for item in again.items] == [held.items[0].image_id]
    assert not again.one_at_a_time, "nobody died"
    kit.settle(again, [replace(done(again.items[0]), sha256=original.sha256)])
    assert kit.account(run).state == RunState.FINISHED


def test_nothing_of_a_deleted_name_stays_in_the_file(tmp_path: Path, local: RunKit) -> None:
    _, recorded = local.filled([b"a.png", b"Marianna-Quux-1931.png", b"z.png"])
    local.settle_all(recorded)
    assert in_file(tmp_path, b"Marianna-Quux-1931") != []
    erase(local, path=b"Marianna")
    local.database.dispose()
    assert in_file(tmp_path, b"Marianna-Quux-1931") == []


def in_file(folder: Path, name: bytes) -> Sequence[str]:
    return [file.name for file in folder.glob("results.db*") if name in file.read_bytes()]
