"""The order in which a list is gone through, page by page in both directions, and what readers say of its films."""

from __future__ import annotations

import hashlib
import random
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text, update

from schemas.errors import UsageError
from schemas.predictions import UNCERTAIN, Prediction
from schemas.reasons import Reason
from schemas.states import ItemState
from schemas.tables import Review, StoredDecision, StoredReader
from tests.screened import DIGEST, LABELS, RunKit, rejected
from wetread.report.reviewing import reviewed_lately
from wetread.store.core.database import Database
from wetread.store.core.locks import lock_reviews
from wetread.store.results.columns import ResultRow
from wetread.store.results.filters import Filters
from wetread.store.reviews.chain import has_hash, verify
from wetread.store.reviews.compared import BLINDED, SHOWN, compared_reviews
from wetread.store.reviews.consensus import consensus_films
from wetread.store.reviews.reading_lists import FilmList, find_list, keep_list
from wetread.store.reviews.reviews import Said, add_review, all_reviews, reviews_of
from wetread.store.reviews.worklist import FilmKey, one_film, page_of_films
from wetread.store.work.outcomes import Outcome

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
THRESHOLDS = {"covid": 0.8, "normal": 0.5, "pneumonia": 0.65}
ALL = Filters(model_digest=DIGEST)


@pytest.fixture
def films(kit: RunKit, database: Database) -> RunKit:
    """41 films in three batches, among them some of one probability and one that could not be read."""
    with database.writing() as session:
        session.execute(update(StoredDecision).values(thresholds=THRESHOLDS))
    chance = random.Random(3)  # noqa: S311 - films, no secrets
    _, recorded = kit.filled([b"%03d.png" % number for number in range(41)])
    for batch in recorded.batch_ids:
        held = kit.claim(batch)
        assert held is not None
        outcomes = []
        for item in held.items:
            if item.path == b"007.png":
                outcomes.append(rejected(item, Reason.UNDECODABLE))
                continue
            label = chance.choice(LABELS)
            share = chance.choice([0.55, 0.62, 0.8, round(chance.uniform(0.34, 0.99), 3)])
            said = label if share >= THRESHOLDS[label] else UNCERTAIN
            shares = tuple(share if name == label else (1 - share) / 2 for name in LABELS)
            digest = hashlib.sha256(item.path).hexdigest()
            reading = Prediction(digest, DIGEST, "numpy", shares, None, label, share, shares, said, "d" * 64)
            outcomes.append(
                Outcome(item.image_id, ItemState.DONE, sha256=digest, size=1, mtime_ns=1, prediction=reading)
            )
        kit.settle(held, outcomes)
    return kit


@pytest.fixture
def readers(database: Database) -> tuple[int, int]:
    with database.writing() as session:
        for name in ("doe", "roe"):
            session.add(StoredReader(name=name, role="review", password_hash="", created_at=NOW))
    with database.reading() as session:
        one, other = session.scalars(select(StoredReader.id).order_by(StoredReader.name)).all()
    return one, other


def gone_through(database: Database, films: FilmList, *, backwards: bool = False, page: int = 4) -> list[ResultRow]:
    found: list[ResultRow] = []
    beside: FilmKey | None = None
    while True:
        with database.reading() as session:
            rows = page_of_films(session, films, limit=page, beside=beside, backwards=backwards)
        found += rows
        if len(rows) < page:
            return found
        beside = FilmKey(rows[-1].run, rows[-1].image_id)


def distance(row: ResultRow) -> tuple[int, float]:
    assert row.label is not None and row.probability is not None
    far = row.probability - THRESHOLDS[row.label]
    return (0, -far) if row.decision == UNCERTAIN else (1, far)


@pytest.mark.parametrize("filters", [ALL, Filters(run=1), Filters(model_digest=DIGEST, label="covid")])
def test_uncertain_films_come_first_and_the_nearest_of_them(
    films: RunKit, database: Database, filters: Filters
) -> None:
    rows = gone_through(database, FilmList(filters))
    assert [distance(row) for row in rows] == sorted(distance(row) for row in rows)
    assert len(rows) == len({row.image_id for row in rows})
    if filters.label is None:
        assert len(rows) == 40
    assert {row.decision == UNCERTAIN for row in rows} == {True, False}


@pytest.mark.parametrize("order", ["triage", "newest", "oldest", "most-probable", "least-probable"])
def test_backwards_is_the_same_order_turned(films: RunKit, database: Database, order: str) -> None:
    there = [row.image_id for row in gone_through(database, FilmList(ALL, order), page=3)]
    back = [row.image_id for row in gone_through(database, FilmList(ALL, order), backwards=True, page=5)]
    assert back == there[::-1]


def test_what_could_not_be_read_is_a_list_too(films: RunKit, database: Database) -> None:
    rows = gone_through(database, FilmList(Filters(model_digest=DIGEST, state="rejected")))
    assert [(row.path, row.reason) for row in rows] == [(b"/archive/007.png", "undecodable")]


def test_a_film_that_is_gone_ends_the_page_with_a_word(films: RunKit, database: Database) -> None:
    with pytest.raises(UsageError, match="begin the list again"), database.reading() as session:
        page_of_films(session, FilmList(ALL), limit=3, beside=FilmKey(1, 10_000))


def test_the_same_list_has_one_number(database: Database) -> None:
    asked = FilmList(
        Filters(path=b"/arch\xff", since=NOW, acquired_since=NOW.date(), max_probability=0.5), "newest", True
    )
    with database.writing() as session:
        number = keep_list(session, asked, NOW)
        assert keep_list(session, asked, NOW) == number
        assert keep_list(session, FilmList(Filters()), NOW) != number
    with database.reading() as session:
        assert find_list(session, number) == asked
        with pytest.raises(UsageError):
            find_list(session, 99)


def say(database: Database, image: int, reader: int, said: Said) -> None:
    with database.writing() as session:
        lock_reviews(session)
        row = one_film(session, FilmKey(1, image))
        assert row is not None
        add_review(session, row, LABELS, reader, said, NOW)


def other_label(row: ResultRow) -> str:
    return next(label for label in LABELS if label != row.label)


def test_a_later_review_supersedes_and_one_that_is_taken_back_counts_no_more(
    films: RunKit, readers: tuple[int, int], database: Database
) -> None:
    row = gone_through(database, FilmList(ALL))[0]
    doe, roe = readers
    say(database, row.image_id, doe, Said("agree"))
    say(database, row.image_id, roe, Said("disagree", other_label(row), "a second look", True, 2.5))
    say(database, row.image_id, doe, Said("unsure"))
    say(database, row.image_id, doe, Said("withdrawn"))
    with pytest.raises(UsageError, match="take back"):
        say(database, row.image_id, doe, Said("withdrawn"))
    say(database, row.image_id, doe, Said("not_a_film"))
    with database.reading() as session:
        shown = [(one.reader, one.verdict, one.superseded) for one in reviews_of(session, row.sha256)]
        assert shown == [
            ("doe", "not_a_film", False), ("doe", "withdrawn", False), ("doe", "unsure", True),
            ("roe", "disagree", False), ("doe", "agree", True),
        ]  # fmt: skip
        assert verify(session).rows == 5
        listed = [(reader, review.verdict, over) for review, reader, over in all_reviews(session)]
        assert listed == shown[::-1]


@pytest.mark.parametrize(
    "said",
    [
        Said("maybe"),
        Said("disagree"),
        Said("disagree", "flu"),
        Said("unsure", "covid"),
        Said("not_a_film", "covid"),
        Said("agree", "flu"),
        Said("agree", comment="x" * 4001),
        Said("agree", seconds=-1),
    ],
)
def test_what_cannot_be_said_is_refused(
    films: RunKit, readers: tuple[int, int], database: Database, said: Said
) -> None:
    with pytest.raises(UsageError):
        say(database, 1, readers[0], said)


def test_a_label_goes_with_its_verdict_alone(films: RunKit, readers: tuple[int, int], database: Database) -> None:
    row, doe = gone_through(database, FilmList(ALL))[0], readers[0]
    with pytest.raises(UsageError, match="that is agreed with"):
        say(database, row.image_id, doe, Said("agree", other_label(row)))
    say(database, row.image_id, doe, Said("agree", row.label))
    with pytest.raises(UsageError, match="expected no label"):
        say(database, row.image_id, doe, Said("withdrawn", row.label))


def test_a_label_that_was_stored_of_another_verdict_counts_as_none(
    films: RunKit, readers: tuple[int, int], database: Database
) -> None:
    row = gone_through(database, FilmList(ALL))[0]
    say(database, row.image_id, readers[0], Said("unsure"))
    with database.writing() as session:
        session.execute(update(Review).values(label=row.label))
    with database.reading() as session:
        assert consensus_films(session) == ([], {"of which a reader was unsure, or called it no film": 1})
        assert compared_reviews(session) == reviewed_lately(session, DIGEST, NOW) == []


def test_a_row_that_was_changed_or_taken_out_breaks_the_chain(
    films: RunKit, readers: tuple[int, int], database: Database
) -> None:
    rows = gone_through(database, FilmList(ALL))
    for row in rows[:4]:
        say(database, row.image_id, readers[0], Said("agree"))
    with database.reading() as session:
        whole = verify(session)
        assert (whole.rows, whole.broken, has_hash(session, whole.last)) == (4, None, True)
    with database.writing() as session:
        session.execute(text("UPDATE reviews SET comment = 'other' WHERE id = 2"))
    with database.reading() as session:
        assert verify(session).broken == 2
    with database.writing() as session:
        session.execute(text("DELETE FROM reviews WHERE id = 2"))
    with database.reading() as session:
        assert verify(session).broken == 3
    with database.writing() as session:
        session.execute(text("DELETE FROM reviews WHERE id >= 3"))
    with database.reading() as session:
        assert verify(session).broken is None  # which is why the last hash is noted elsewhere
        assert not has_hash(session, whole.last)


def test_reviews_of_many_at_once_are_one_chain(films: RunKit, readers: tuple[int, int], database: Database) -> None:
    images = [row.image_id for row in gone_through(database, FilmList(ALL))]
    faults: list[Exception] = []

    def review(some: list[int]) -> None:
        try:
            for image in some:
                say(database, image, readers[0], Said("agree"))
        except Exception as error:  # noqa: BLE001 - shown by the test
            faults.append(error)

    threads = [threading.Thread(target=review, args=(images[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    with database.reading() as session:
        assert (verify(session).rows, verify(session).broken) == (len(images), None)
        assert len(set(session.scalars(select(Review.previous_hash)))) == len(images)


def test_agreement_and_consensus_count_what_stands(films: RunKit, readers: tuple[int, int], database: Database) -> None:
    first, second, third = gone_through(database, FilmList(ALL))[:3]
    doe, roe = readers
    say(database, first.image_id, doe, Said("agree"))
    say(database, first.image_id, roe, Said("agree", blinded=True))
    say(database, second.image_id, doe, Said("agree"))
    say(database, second.image_id, roe, Said("disagree", other_label(second)))
    say(database, third.image_id, doe, Said("unsure"))
    with database.reading() as session:
        kept, left_out = consensus_films(session)
        assert [(film.path, film.label, film.readers) for film in kept] == [(first.path, first.label, 2)]
        assert left_out == {
            "on which readers differ": 1, "of which a reader was unsure, or called it no film": 1,
        }  # fmt: skip
        assert consensus_films(session, least=3)[0] == []
        counted = {(one.one, one.other, one.answer): sum(one.table.values()) for one in compared_reviews(session)}
    assert counted == {
        ("doe", "cnn@1", SHOWN): 2, ("roe", "cnn@1", SHOWN): 1, ("roe", "cnn@1", BLINDED): 1, ("doe", "roe", None): 2,
    }  # fmt: skip


def test_what_was_said_lately_is_told_from_before(films: RunKit, readers: tuple[int, int], database: Database) -> None:
    rows = gone_through(database, FilmList(ALL))
    for row in rows[:3]:
        say(database, row.image_id, readers[0], Said("agree"))
    say(database, rows[3].image_id, readers[0], Said("disagree", other_label(rows[3]), blinded=True))
    say(database, rows[4].image_id, readers[0], Said("unsure"))
    with database.reading() as session:
        soon, later = (reviewed_lately(session, DIGEST, NOW + timedelta(days=days)) for days in (1, 40))
        assert reviewed_lately(session, "e" * 64, NOW) == []
    assert [(one.answer, one.lately and one.lately.films, one.before) for one in soon] == [
        (BLINDED, 1, None), (SHOWN, 3, None)
    ]  # fmt: skip
    assert [(one.lately, one.before and one.before.agreed) for one in later] == [(None, 0.0), (None, 1.0)]
