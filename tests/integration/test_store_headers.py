"""What is kept of DICOM headers: stored with the outcome, found by study, gone with the last item that names it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import inspect, select, text

from schemas.films import FilmHeader
from schemas.reasons import Reason
from schemas.states import ItemState
from schemas.tables import StoredHeader
from tests.screened import RunKit, done, rejected
from wetread.store.core.database import Database
from wetread.store.images.headers import store_headers
from wetread.store.results.columns import ResultRow
from wetread.store.results.counts import failure_counts, label_counts
from wetread.store.results.finding import Filters, find_results
from wetread.store.roots.erasing import erase_images, find_images
from wetread.store.runs.deleting import delete_run
from wetread.store.work.outcomes import LinkedReading, Outcome

FRONTAL = FilmHeader("1.2.1", "1.2.1.1", "1.2.1.1.1", "PA", "DX", date(2024, 2, 29), (0.14, 0.15), "f" * 64)
LATERAL = replace(FRONTAL, series_uid="1.2.1.2", instance_uid="1.2.1.2.1", view="LL")
OTHER = FilmHeader(study_uid="1.2.2", series_uid="1.2.2.1")
NAMES = [b"frontal.dcm", b"lateral.dcm", b"other.dcm", b"plain.png"]


def settled(kit: RunKit, *, force: bool = False) -> int:
    """A run over two films of one study, one of another, and a PNG."""
    run, recorded = kit.filled(NAMES, force=force)
    (batch,) = recorded.batch_ids
    held = kit.claim(batch)
    assert held is not None
    by_name = {item.path: item for item in held.items}
    side = replace(rejected(by_name[NAMES[1]], Reason.OTHER_VIEW), sha256="e" * 64, header=LATERAL)
    outcomes = [done(by_name[NAMES[0]], header=FRONTAL), side, done(by_name[NAMES[2]], header=OTHER)]
    kit.settle(held, [*outcomes, done(by_name[NAMES[3]])])
    return run


def rows(kit: RunKit, **filters: Any) -> dict[bytes, ResultRow]:
    with kit.database.reading() as session:
        return {row.path.rpartition(b"/")[2]: row for row in find_results(session, Filters(**filters))}


def stored(database: Database) -> list[str | None]:
    with database.reading() as session:
        return list(session.scalars(select(StoredHeader.instance_uid).order_by(StoredHeader.id)))


def test_a_study_s_images_are_found_together_with_those_that_were_rejected(kit: RunKit) -> None:
    settled(kit)
    found = rows(kit)
    frontal, lateral = found[NAMES[0]], found[NAMES[1]]
    assert (lateral.state, lateral.view, lateral.series_uid) == ("rejected", "LL", "1.2.1.2")
    assert (frontal.study_uid, frontal.instance_uid, frontal.modality) == ("1.2.1", "1.2.1.1.1", "DX")
    assert (frontal.acquired_on, frontal.pixel_spacing, frontal.patient_hash) == (
        date(2024, 2, 29), [0.14, 0.15], "f" * 64
    )  # fmt: skip
    assert (found[NAMES[3]].study_uid, found[NAMES[3]].state) == (None, "done")
    assert set(rows(kit, study_uid="1.2.1")) == set(NAMES[:2])
    assert set(rows(kit, study_uid="1.2.1", series_uid="1.2.1.2")) == {NAMES[1]}
    assert set(rows(kit, series_uid="1.2.2.1")) == {NAMES[2]}
    assert rows(kit, study_uid="1.2.%") == rows(kit, study_uid="' OR 1=1 --") == {}
    with kit.database.reading() as session:
        wanted = Filters(study_uid="1.2.1")
        assert [row[2:4] for row in label_counts(session, wanted)] == [("normal", 1)]
        assert [row[3:] for row in failure_counts(session, wanted)] == [("other_view", 1)]


def test_headers_go_with_the_films_of_a_patient(kit: RunKit) -> None:
    settled(kit)
    with kit.database.reading() as session:
        images = find_images(session, path=NAMES[1])
    with kit.database.writing() as session:
        erase_images(session, images)
    assert stored(kit.database) == [FRONTAL.instance_uid, OTHER.instance_uid]


def test_a_study_is_found_by_indexes(kit: RunKit) -> None:
    settled(kit)
    question = "SELECT * FROM work_items WHERE header_id IN (SELECT id FROM film_headers WHERE study_uid = '1.2.1')"
    with kit.database.connecting() as connection:
        inspected = inspect(connection)
        indexes = {index["name"] for name in ("work_items", "film_headers") for index in inspected.get_indexes(name)}
        if kit.database.dialect == "sqlite":
            plan = str(connection.execute(text("EXPLAIN QUERY PLAN " + question)).all())
            assert "ix_work_items_header" in plan
            assert "ix_film_headers_study_uid" in plan
    assert {"ix_work_items_header", "ix_film_headers_study_uid", "ix_film_headers_series_uid"} <= indexes


def test_a_link_names_the_header_of_its_bytes_and_a_forced_run_reads_it_again(kit: RunKit) -> None:
    settled(kit)
    before = rows(kit)[NAMES[0]]
    _, recorded = kit.filled([*NAMES, b"copy.dcm"])
    held = kit.claim(recorded.batch_ids[0])
    assert held is not None
    (item,) = held.items
    copy = Outcome(item.image_id, ItemState.DONE, sha256=before.sha256, size=1, mtime_ns=1, header=FRONTAL)
    kit.settle(held, [replace(copy, linked=LinkedReading(1, "normal", "normal"))])
    assert rows(kit)[b"copy.dcm"].study_uid == "1.2.1"
    settled(kit, force=True)
    assert len(stored(kit.database)) == 3


def test_a_worker_without_the_key_leaves_the_hash_that_is_there(kit: RunKit) -> None:
    def store(header: FilmHeader) -> str | None:
        with kit.database.writing() as session:
            store_headers(session, {"a" * 64: header})
        with kit.database.reading() as session:
            return session.scalar(select(StoredHeader.patient_hash))

    assert store(replace(FRONTAL, patient_hash=None)) is None
    assert store(FRONTAL) == "f" * 64
    assert store(replace(FRONTAL, patient_hash=None)) == "f" * 64
    assert store(replace(FRONTAL, patient_hash="0" * 64)) == "0" * 64


def test_headers_go_with_the_last_run_that_names_them(kit: RunKit) -> None:
    first, second = settled(kit), settled(kit, force=True)
    with kit.database.writing() as session:
        delete_run(session, second)
    assert len(stored(kit.database)) == 3
    assert rows(kit)[NAMES[0]].study_uid == "1.2.1"
    with kit.database.writing() as session:
        delete_run(session, first)
    assert stored(kit.database) == []
