"""A film that comes by several ways, in files of other bytes: one reading, linked by what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select

from schemas.tables import SamePicture, StoredPrediction, WorkItem
from tests.screened import DIGEST, RunKit, done
from wetread.store.core.database import Database
from wetread.store.results.finding import Filters, find_results
from wetread.store.results.one_image import find_image, hashes_beginning
from wetread.store.roots.erasing import erase_images, find_images
from wetread.store.work.known_readings import known_pictures, known_readings
from wetread.store.work.leases import Claim, ClaimedItem
from wetread.store.work.outcomes import LinkedReading, Outcome
from wetread.store.work.settling import settle_together

SHOWN = "e" * 64


@pytest.fixture
def kit(database: Database) -> RunKit:
    return RunKit(database, batch_size=1)


def read(item: ClaimedItem, shown: str = SHOWN, label: str = "normal") -> Outcome:
    outcome = done(item, label=label)
    assert outcome.prediction is not None
    return replace(outcome, prediction=replace(outcome.prediction, shown=shown))


def claims(kit: RunKit, names: Sequence[bytes], *, force: bool = False) -> list[Claim]:
    _, recorded = kit.filled(names, force=force)
    found = [kit.claim(batch, f"w:{batch}:1") for batch in recorded.batch_ids]
    return [held for held in found if held is not None]


def readings(kit: RunKit) -> list[tuple[str, str, str | None]]:
    with kit.database.reading() as session:
        of = StoredPrediction
        return [tuple(row) for row in session.execute(select(of.sha256, of.label, of.shown).order_by(of.id))]  # type: ignore[misc]  # rows of three columns


def test_two_workers_that_read_one_picture_store_one_reading(kit: RunKit) -> None:
    first, second, other = claims(kit, [b"a.dcm", b"b.dcm", b"c.dcm"])
    for held, shown in ((first, SHOWN), (second, SHOWN), (other, "f" * 64)):
        kit.settle(held, [read(held.items[0], shown)])
    one, two = (done(held.items[0]).sha256 or "" for held in (first, second))
    assert [(sha256, shown) for sha256, _, shown in readings(kit)][:1] == [(one, SHOWN)] and len(readings(kit)) == 2
    with kit.database.reading() as session:
        known = known_readings(session, [one, two], DIGEST)
        assert known[one] == known[two] == known_pictures(session, [SHOWN], DIGEST)[SHOWN]
        assert known_readings(session, [two], "0" * 64) == {}
        rows = {row.sha256: row for row in find_results(session, Filters())}
        assert rows[one].picture_digest == rows[two].picture_digest == SHOWN
        assert rows[one].prediction_id == rows[two].prediction_id
        assert [row.path for row in find_results(session, Filters(sha256=two))] == [b"/archive/b.dcm"]
        assert [row.path for row in find_results(session, Filters(sha256=one))] == [b"/archive/a.dcm"]
        (image,) = find_image(session, sha256=two)
        assert (image.paths, image.shown_at) == ([b"/archive/b.dcm"], [b"/archive/a.dcm"])
        assert hashes_beginning(session, two[:9], limit=2) == [two]


def test_a_link_by_what_is_shown_stands_only_while_its_reading_does(kit: RunKit) -> None:
    first, second, third = claims(kit, [b"a.dcm", b"b.dcm", b"c.dcm"])
    kit.settle(first, [read(first.items[0])])
    with kit.database.reading() as session:
        known = known_pictures(session, [SHOWN], DIGEST)[SHOWN]

    def linked(held: Claim, to: LinkedReading) -> Outcome:
        return replace(done(held.items[0]), prediction=None, linked=to, shown=SHOWN)

    kit.settle(second, [linked(second, known)])
    assert len(readings(kit)) == 1
    with kit.database.writing() as session:
        assert settle_together(session, [(third, [linked(third, replace(known, prediction_id=99))])]) == [None]
    with kit.database.reading() as session:
        names = set(session.scalars(select(WorkItem.prediction_id)))
        assert names == {known.prediction_id}
        assert len(session.scalars(select(SamePicture.sha256)).all()) == 2


def test_erasing_the_film_that_was_read_leaves_its_reading_to_the_other_and_nothing_of_itself(kit: RunKit) -> None:
    first, second = claims(kit, [b"a.dcm", b"b.dcm"])
    for held in (first, second):
        kit.settle(held, [read(held.items[0])])
    one, two = (done(held.items[0]).sha256 or "" for held in (first, second))
    with kit.database.writing() as session:
        images = find_images(session, sha256=one)
        assert erase_images(session, images).readings == 0
    assert [sha256 for sha256, _, _ in readings(kit)] == [two]
    with kit.database.reading() as session:
        assert session.scalars(select(SamePicture.sha256)).all() == []
        assert list(known_readings(session, [one, two], DIGEST)) == [two]
    with kit.database.writing() as session:
        assert erase_images(session, find_images(session, sha256=two)).readings == 1
    assert readings(kit) == []


def test_forced_the_one_reading_is_replaced_whichever_file_was_read(kit: RunKit) -> None:
    first, second = claims(kit, [b"a.dcm", b"b.dcm"])
    for held in (first, second):
        kit.settle(held, [read(held.items[0])])
    (again,) = claims(kit, [b"b.dcm"], force=True)
    kit.settle(again, [read(again.items[0], label="covid")])
    one = done(first.items[0]).sha256
    assert readings(kit) == [(one, "covid", SHOWN)]
    with kit.database.reading() as session:
        assert known_pictures(session, [SHOWN], DIGEST, of_run=again.run_id)
        assert not known_pictures(session, [SHOWN], DIGEST, of_run=first.run_id)


def test_forced_bytes_that_are_decoded_otherwise_now_have_a_reading_of_their_own(kit: RunKit) -> None:
    first, second = claims(kit, [b"a.dcm", b"b.dcm"])
    for held in (first, second):
        kit.settle(held, [read(held.items[0])])
    (again,) = claims(kit, [b"b.dcm"], force=True)
    kit.settle(again, [read(again.items[0], shown="f" * 64, label="covid")])
    two = done(second.items[0]).sha256 or ""
    with kit.database.reading() as session:
        assert known_readings(session, [two], DIGEST)[two].label == "covid"
        assert session.scalars(select(SamePicture.sha256)).all() == []
