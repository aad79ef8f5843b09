"""How often a worker waits for PostgreSQL's answer, and that what is sent together is one transaction as before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import insert, select, text, update

from schemas.errors import DatabaseFault, WetreadError
from schemas.films import FilmHeader
from schemas.states import ItemState
from schemas.tables import Batch, Run, RunTally, WorkItem
from tests.screened import DIGEST, RunKit, done
from tests.servers.counting_proxy import CountingProxy
from tests.servers.pgbouncer_server import PgBouncerServer
from tests.servers.postgres_server import PostgresServer
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema
from wetread.store.core.sent_together import say
from wetread.store.work.known_readings import known_readings
from wetread.store.work.outcomes import LinkedReading, Outcome
from wetread.store.work.settling import settle_together
from wetread.store.work.stages import add_stage_seconds

FILMS = 64
CLAIM, SETTLE, LOOKUP = 3, 3, 2
"""Round trips: the batch, its images, COMMIT; the batch, the readings, all else with COMMIT; the readings, COMMIT."""


@pytest.fixture(params=["directly", "through PgBouncer"])
def proxy(request: pytest.FixtureRequest, postgres_server: PostgresServer) -> Iterator[CountingProxy]:
    if request.param == "directly":
        port = postgres_server.port
    else:
        bouncer: PgBouncerServer = request.getfixturevalue("pgbouncer")
        port = bouncer.port
    with CountingProxy(port) as counting:
        yield counting


@pytest.fixture
def counted(proxy: CountingProxy, postgres_server: PostgresServer, postgres_url: str) -> Iterator[RunKit]:
    """A run whose database is behind the proxy, and is looked up by index as by a worker."""
    place = postgres_server.url.rpartition("/")[0].replace(f":{postgres_server.port}", f":{proxy.port}")
    database = Database(f"{place}/{postgres_url.rpartition('/')[2]}", by_index=True)
    ensure_schema(database)
    yield RunKit(database, FILMS)
    database.dispose()


def trips_of_a_batch(kit: RunKit, proxy: CountingProxy, batch: int, header: FilmHeader | None = None) -> list[int]:
    proxy.trips = 0
    held = kit.claim(batch)
    assert held is not None
    trips = [proxy.trips]
    outcomes = [done(item, header=header) for item in held.items]
    hashes = [one.sha256 for one in outcomes if one.sha256 is not None]
    proxy.trips = 0
    with kit.database.reading() as session:
        assert not known_readings(session, hashes, DIGEST)
    trips.append(proxy.trips)
    proxy.trips = 0
    with kit.database.writing() as session:
        assert settle_together(session, [(held, outcomes)]) == [None]
        add_stage_seconds(session, held.run_id, {"decode": 1.0, "network": 2.0})
    return [*trips, proxy.trips]


def test_a_batch_takes_few_round_trips(counted: RunKit, proxy: CountingProxy) -> None:
    run, recorded = counted.filled([b"%03d.png" % number for number in range(3 * FILMS)])
    first, second, third = recorded.batch_ids
    trips_of_a_batch(counted, proxy, first)
    assert trips_of_a_batch(counted, proxy, second) == [CLAIM, LOOKUP, SETTLE]
    dicom = FilmHeader(study_uid="1.2.3", modality="DX")
    assert trips_of_a_batch(counted, proxy, third, dicom) == [CLAIM, LOOKUP, SETTLE + 1]
    account = counted.account(run)
    assert (account.state, account.done, account.labels) == ("finished", 3 * FILMS, {"normal": 3 * FILMS})


def test_readings_that_are_there_already_take_one_more(counted: RunKit, proxy: CountingProxy) -> None:
    _, recorded = counted.filled([b"%03d.png" % number for number in range(FILMS)])
    counted.settle_all(recorded)
    _, again = counted.filled([b"%03d.png" % number for number in range(FILMS)], force=True)
    held = counted.claim(again.batch_ids[0])
    assert held is not None
    read = [done(item) for item in held.items]
    with counted.database.reading() as session:
        known = known_readings(session, [one.sha256 for one in read if one.sha256], DIGEST)
    linked = [
        Outcome(one.image_id, ItemState.DONE, sha256=one.sha256, size=100, mtime_ns=1, linked=known[one.sha256 or ""])
        for one in read
    ]
    proxy.trips = 0
    counted.settle(held, linked)
    assert proxy.trips == SETTLE
    with counted.database.reading() as session:
        assert session.scalars(select(WorkItem.prediction_id).where(WorkItem.run_id == held.run_id)).all()
        assert isinstance(next(iter(known.values())), LinkedReading)


def test_what_was_held_back_fails_with_the_commit_and_nothing_is_written(kit: RunKit) -> None:
    run, recorded = kit.filled([b"a.png"])
    tally = {"run_id": run, "kind": "label", "name": "normal", "count": 1}
    with pytest.raises(WetreadError), kit.database.writing() as session:
        say(session, insert(RunTally.__table__), [tally])  # type: ignore[arg-type]  # a Table, which mypy knows as FromClause
        say(session, update(Batch.__table__).values(pending=7))  # type: ignore[arg-type]  # the same
        say(session, insert(RunTally.__table__), [tally])  # type: ignore[arg-type]  # the same: it is there already
    with kit.database.reading() as session:
        assert session.scalar(select(RunTally.count).where(RunTally.run_id == run)) is None
        assert session.scalar(select(Batch.pending).where(Batch.id == recorded.batch_ids[0])) == 1


def test_what_was_held_back_is_seen_by_the_next_question_and_forgotten_with_the_transaction(kit: RunKit) -> None:
    run, _ = kit.filled([b"a.png"])

    class Ended(Exception):
        pass

    renamed = update(Run.__table__).where(Run.id == run).values(note="50% o'clock \\ {}")  # type: ignore[arg-type]  # a Table, which mypy knows as FromClause
    with pytest.raises(Ended), kit.database.writing() as session:
        say(session, renamed)
        assert session.scalar(select(Run.note).where(Run.id == run)) == "50% o'clock \\ {}"
        say(session, renamed)
        raise Ended
    with kit.database.writing() as session:
        say(session, update(Run.__table__).where(Run.id == run).values(trouble_why="it"))  # type: ignore[arg-type]  # the same
    with kit.database.reading() as session:
        assert session.execute(select(Run.note, Run.trouble_why).where(Run.id == run)).one() == (None, "it")


def test_a_transaction_that_asks_nothing_and_one_that_fails_leave_the_connection_as_it_was(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.writing() as session:
        session.connection()
    with pytest.raises(DatabaseFault), database.writing() as session:
        session.execute(text("SELECT 1 / 0"))
    with database.reading() as session:
        assert session.scalar(text("SELECT 5")) == 5
    database.dispose()


def test_a_connection_that_the_server_closed_a_moment_ago_is_made_anew(
    postgres_url: str, postgres_server: PostgresServer
) -> None:
    # The other comes directly: through PgBouncer it would be given the connection that it is to end.
    database, other = Database(postgres_url), Database(postgres_server.url)
    with database.reading() as session:
        backend = session.scalar(text("SELECT pg_backend_pid()"))
    with other.reading() as session:
        assert session.scalar(text("SELECT pg_terminate_backend(:one, 10000)"), {"one": backend})
    with database.reading() as session:
        assert session.scalar(text("SELECT pg_backend_pid()")) != backend
    database.dispose()
    other.dispose()
