"""What is recorded of films that came over the network, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from gateway.receiving.received_run import take
from schemas.alarms import AlarmKind
from schemas.errors import UsageError
from schemas.tables import Received, ReceivedAccount
from screening.watch_runs import WatchRuns
from tests.program import eventually
from tests.screened import DIGEST, RunKit
from wetread.clock import utc_now
from wetread.store.core.database import Database
from wetread.store.core.migrating import ensure_schema
from wetread.store.received.peers import Peer, add_peer, list_peers, peer_of, remove_peer
from wetread.store.received.received_films import (
    ReceivedFilm,
    ReceivedTotals,
    Sender,
    note_received,
    open_account,
    read_received,
    waiting_films,
)
from wetread.store.roots.adding import root_ids
from wetread.store.roots.erasing import erase_images, find_images
from wetread.store.runs.accounts import run_account
from wetread.store.runs.alarms import run_alarms


def received(instance: str, digest: str, *, kept: bool = True) -> ReceivedFilm:
    sha256 = digest * 64
    path = f"{sha256[:2]}/{sha256}.dcm".encode() if kept else None
    return ReceivedFilm(instance, "1.2", "1.2.1", sha256, 10, path, 5, Sender("PACS", "WETREAD", "10.0.0.1"))


@pytest.fixture
def root(database: Database) -> int:
    with database.writing() as session:
        (number,) = root_ids(session, [b"/spool/films"])
        open_account(session, number)
        open_account(session, number)
    return number


def note(database: Database, root: int, *films: ReceivedFilm) -> ReceivedTotals:
    with database.writing() as session:
        note_received(session, root, films)
    with database.reading() as session:
        return read_received(session)


def test_each_film_counts_once_however_often_it_comes(database: Database, root: int) -> None:
    assert note(database, root, received("1.1", "a"), received("1.2", "b")) == ReceivedTotals(2, 0, 2)
    assert note(database, root, received("1.1", "a")) == ReceivedTotals(2, 0, 2, copies=1)
    # Within one transaction, too.
    assert note(database, root, received("1.3", "c"), received("1.3", "c")) == ReceivedTotals(3, 0, 3, copies=2)


@pytest.mark.parametrize("together", [False, True])
def test_other_bytes_of_one_instance_are_both_kept_and_flagged(database: Database, root: int, together: bool) -> None:
    first, second = received("1.1", "a"), received("1.1", "b")
    if not together:
        note(database, root, first)
    totals = note(database, root, *([first, second] if together else [second]))
    assert totals == ReceivedTotals(2, 0, 2, conflicts=2)
    with database.reading() as session:
        assert session.scalars(select(Received.conflict)).all() == [True, True]
        assert len(waiting_films(session, root, 10)) == 2
    assert note(database, root, received("1.1", "c"), received("1.1", "a")).conflicts == 3


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url)
    ensure_schema(database)
    yield database
    database.dispose()


@contextmanager
def noted_meanwhile(database: Database, root: int, *films: ReceivedFilm) -> Iterator[None]:
    """Record films in another thread, which waits for a lock of this one's transaction when this goes on."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")

    def is_met() -> bool:
        with database.reading() as session:
            return recorded.done() or bool(session.execute(waiting).scalar_one())

    with ThreadPoolExecutor() as threads:
        recorded = threads.submit(note, database, root, *films)
        eventually(is_met, seconds=60, what="the films wait")
        yield
        # The pool waits here until the films are recorded: leave this after the transaction that they wait for.


@pytest.fixture
def postgres_root(postgres: Database) -> int:
    with postgres.writing() as session:
        (number,) = root_ids(session, [b"/spool/films"])
        open_account(session, number)
    return number


def test_other_bytes_that_come_at_the_same_time_are_flagged(postgres: Database, postgres_root: int) -> None:
    with ExitStack() as other, postgres.writing() as session:
        note_received(session, postgres_root, [received("1.1", "a")])
        other.enter_context(noted_meanwhile(postgres, postgres_root, received("1.1", "b")))
    with postgres.reading() as session:
        assert read_received(session) == ReceivedTotals(2, 0, 2, conflicts=2)


def test_films_that_are_recorded_and_taken_at_once_do_not_lock_each_other_out(
    postgres: Database, postgres_root: int
) -> None:
    note(postgres, postgres_root, received("1.1", "a"), received("1.2", "b"))
    with ExitStack() as other, postgres.writing() as session:
        assert len(waiting_films(session, postgres_root, 1)) == 1
        films = received("1.2", "b"), received("1.1", "c")
        other.enter_context(noted_meanwhile(postgres, postgres_root, *films))
        assert len(waiting_films(session, postgres_root, 2)) == 2
    with postgres.reading() as session:
        assert read_received(session) == ReceivedTotals(3, 0, 3, conflicts=2, copies=1)


def test_what_is_not_wanted_is_noted_and_never_taken(database: Database, root: int) -> None:
    once = note(database, root, received("1.9", "d", kept=False))
    assert (once.received, once.not_wanted) == (0, 1)
    again = note(database, root, received("1.9", "d", kept=False))
    assert (again.not_wanted, again.copies, again.conflicts) == (1, 1, 0)
    with database.reading() as session:
        assert waiting_films(session, root, 10) == []


def test_what_a_sender_is_told_of_is_synced_at_its_commit(tmp_path: Path) -> None:
    def level(*, durable: bool) -> int:
        database = Database(f"sqlite:///{tmp_path / 'results.db'}", durable=durable)
        try:
            with database.writing() as session:
                return int(session.execute(text("PRAGMA synchronous")).scalar_one())
        finally:
            database.dispose()

    normal, full = 1, 2
    assert (level(durable=False), level(durable=True)) == (normal, full)


def test_accounts_of_received_films_that_do_not_add_up_are_refused(database: Database, root: int) -> None:
    with pytest.raises(Exception, match="accounts"), database.writing() as session:
        session.execute(update(ReceivedAccount).values(taken=1))


def opened(database: Database, kit: RunKit, root: int) -> WatchRuns:
    with database.writing() as session:
        return WatchRuns.open(session, [root], (DIGEST, None), "numpy", 64)


def test_films_are_taken_into_a_run_or_wait(database: Database, kit: RunKit, root: int) -> None:
    note(database, root, received("1.1", "a"), received("1.1", "b"), received("1.2", "c"))
    runs = opened(database, kit, root)
    with pytest.raises(RuntimeError), database.writing() as session:
        take(session, runs, root)
        raise RuntimeError("before the commit")
    with database.reading() as session:
        assert read_received(session).waiting == 3
        assert run_account(session, runs.run.id).found == 0
    with database.writing() as session:
        assert take(session, runs, root, most=2) == 2
    with database.writing() as session:
        assert (take(session, runs, root), take(session, runs, root)) == (1, 0)
    with database.reading() as session:
        assert read_received(session) == ReceivedTotals(3, 3, 0, conflicts=2)
        account = run_account(session, runs.run.id)
        assert (account.found, account.pending, account.received_conflicts) == (3, 3, 2)
        assert AlarmKind.RECEIVED_CONFLICT in [alarm.kind for alarm in run_alarms(account)]


def test_a_film_that_is_deleted_leaves_no_row_and_is_new_when_it_comes_again(
    database: Database, kit: RunKit, root: int
) -> None:
    mine, other, waits = received("1.1", "a"), received("1.1", "b"), received("1.3", "c")
    note(database, root, mine, other, received("1.2", "d", kept=False))
    note(database, root, mine)
    runs = opened(database, kit, root)
    with database.writing() as session:
        assert take(session, runs, root) == 2
    note(database, root, waits)
    with database.writing() as session:
        images = find_images(session, path=mine.path)
        assert erase_images(session, images).images == 1
    with database.reading() as session:
        assert read_received(session) == ReceivedTotals(2, 1, 1, conflicts=1, copies=0, not_wanted=1)
        assert mine.sha256 not in session.scalars(select(Received.sha256)).all()
        assert run_account(session, runs.run.id).found == 1
    assert note(database, root, mine).waiting == 2
    with database.writing() as session:
        assert take(session, runs, root) == 2


def test_a_run_that_was_ended_takes_nothing(database: Database, kit: RunKit, root: int) -> None:
    runs = opened(database, kit, root)
    note(database, root, received("1.1", "a"))
    with database.writing() as session:
        session.execute(text("UPDATE runs SET state = 'cancelled'"))
    with database.writing() as session:
        assert take(session, runs, root) is None
    with database.reading() as session:
        assert read_received(session).waiting == 1


def test_peers_are_known_by_title_and_address(database: Database) -> None:
    now = utc_now()
    with database.writing() as session:
        add_peer(session, Peer("pacs", "PACS", "10.1.2.3", now))
        add_peer(session, Peer("rooms", "DX", "10.2.0.0/16", now))
        add_peer(session, Peer("six", "SIX", "2001:db8::/32", now))
        for wrong in (
            Peer("pacs", "OTHER", "10.0.0.1", now), Peer("x", "A\\B", "10.0.0.1", now),
            Peer("x", "T" * 17, "10.0.0.1", now),
            Peer("x", " PAD", "10.0.0.1", now), Peer("x", "A", "10.1.2.3/16", now), Peer("x", "A", "pacs.local", now),
        ):  # fmt: skip
            with pytest.raises(UsageError):
                add_peer(session, wrong)
        peers = list_peers(session)
    assert [peer.name for peer in peers] == ["pacs", "rooms", "six"]

    def name(title: str, address: str) -> str | None:
        found = peer_of(peers, title, address)
        return None if found is None else found.name

    assert name("PACS", "10.1.2.3") == "pacs"
    assert name("PACS", "::ffff:10.1.2.3") == "pacs"
    assert name("SIX", "2001:db8::7") == "six"
    assert name("DX", "10.2.200.1") == "rooms"
    assert name("DX", "10.3.0.1") is name("PACS", "10.1.2.4") is name("pacs", "10.1.2.3") is None
    with database.writing() as session:
        remove_peer(session, "pacs")
    with database.writing() as session, pytest.raises(UsageError, match="there are: 'rooms', 'six'"):
        remove_peer(session, "pacs")
