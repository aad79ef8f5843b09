"""Old films leave the spool; those that are yet to be read or delivered, and one that just came again, stay."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from gateway.receiving.received_run import take
from gateway.receiving.removing import remove_old
from gateway.receiving.spool import FETCHING, Spool, film_path
from schemas.states import DeliveryState
from schemas.tables import Batch, Delivery, Received
from screening.watch_runs import WatchRuns
from tests.receiving import Receiving, film
from tests.screened import DIGEST, RunKit, done
from wetread.clock import utc_now
from wetread.store.core.database import Database
from wetread.store.received.received_films import ReceivedFilm, Sender, note_received
from wetread.store.work.known_readings import known_readings

FILMS = 4


@pytest.fixture
def receiving(database: Database, tmp_path: Path) -> Receiving:
    return Receiving(database, tmp_path)


def put(receiving: Receiving, number: int) -> str:
    """Put a film into the spool; return its digest."""
    part = receiving.spool.begin()
    part.write(film(number, side=32, SOPInstanceUID=f"1.2.{number}"))
    placed = part.place()
    with receiving.database.writing() as session:
        note_received(session, receiving.root_id, [
            ReceivedFilm(f"1.2.{number}", "1.2", "1.2.1", placed.sha256, placed.size, placed.path, placed.mtime_ns,
                         Sender("PACS", "WETREAD", "127.0.0.1")),
        ])  # fmt: skip
    receiving.spool.settle(placed.path)
    return placed.sha256


def lies(receiving: Receiving, digest: str) -> bool:
    return os.path.exists(os.path.join(receiving.spool.films, film_path(digest)))


def test_a_film_stays_until_it_is_read_and_its_deliveries_have_ended(receiving: Receiving) -> None:
    database, kit = receiving.database, RunKit(receiving.database)
    digests = [put(receiving, number) for number in range(FILMS)]
    with database.writing() as session:
        runs = WatchRuns.open(session, [receiving.root_id], (DIGEST, None), "numpy", 1)
        assert take(session, runs, receiving.root_id, most=FILMS - 1) == FILMS - 1
    later, spool = utc_now() + timedelta(days=1), Spool(receiving.spool.directory, FETCHING)

    def pruned(*, dry_run: bool = False) -> dict[str, int]:
        return dict(remove_old(database, spool, receiving.root_id, later, dry_run=dry_run))

    assert pruned() == {"kept for reading": FILMS}
    with database.reading() as session:
        batches = session.scalars(select(Batch.id).order_by(Batch.id)).all()
    for batch in batches:
        held = kit.claim(batch)
        assert held is not None
        kit.settle(held, [done(item) for item in held.items])
    with database.writing() as session:
        of_first = known_readings(session, [done_digest(digests[0])], DIGEST)
        (reading,) = of_first.values()
        session.add(Delivery(
            peer="pacs", received_id=1, prediction_id=reading.prediction_id, report_uid="2.25.1", decision="normal",
            state=DeliveryState.SENT, created_at=utc_now(),
        ))  # fmt: skip
    assert pruned(dry_run=True) == {"removed": 2, "kept for reading": 1, "kept for a delivery": 1}
    assert all(lies(receiving, digest) for digest in digests)
    assert remove_old(database, spool, receiving.root_id, utc_now() - timedelta(days=1), dry_run=False) == {}
    assert pruned() == {"removed": 2, "kept for reading": 1, "kept for a delivery": 1}
    assert [lies(receiving, digest) for digest in digests] == [True, False, False, True]
    assert put(receiving, 1) == digests[1] and lies(receiving, digests[1])
    spool.close()


def test_a_film_that_just_came_again_stays_though_its_row_is_old(receiving: Receiving) -> None:
    digest, spool = put(receiving, 1), Spool(receiving.spool.directory, FETCHING)
    with receiving.database.writing() as session:
        old = utc_now() - timedelta(days=100)
        session.execute(update(Received).values(received_at=old, state="taken"))
    assert remove_old(receiving.database, spool, receiving.root_id, utc_now() - timedelta(days=90), dry_run=False) == {}
    assert lies(receiving, digest)
    spool.close()


def done_digest(digest: str) -> str:
    """The digest that `done` gives the image of this film: of its path."""
    return hashlib.sha256(film_path(digest)).hexdigest()
