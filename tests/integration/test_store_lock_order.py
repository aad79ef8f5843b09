"""What each transaction locks on PostgreSQL, against the one table of the order: wetread/store/core/locks.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import select

from gateway.receiving.received_run import take
from schemas.films import FilmHeader
from schemas.states import RunState
from schemas.tables import Batch, Image, Root
from screening.watch_runs import WatchRuns
from tests.locks_taken import recorded_locks, rows_locked
from tests.screened import DIGEST, LABELS, RunKit, done
from wetread.clock import utc_now
from wetread.models.decision import Decision
from wetread.models.redeciding import put_in_force
from wetread.store.core.database import Database
from wetread.store.core.locks import DELETING, ERASING, RECORDING, SETTLING, LockedRows
from wetread.store.core.migrating import ensure_schema
from wetread.store.received.received_films import ReceivedFilm, Sender, note_received, open_account
from wetread.store.roots.adding import root_ids
from wetread.store.roots.erasing import erase_images
from wetread.store.runs.deleting import delete_run
from wetread.store.runs.lifecycle import cancel_pending, set_state
from wetread.store.work.attempts import count_attempt
from wetread.store.work.leases import Claim, release_dead
from wetread.store.work.settling import settle_together
from wetread.store.work.stages import add_stage_seconds

NAMES = [b"a.png", b"b.png", b"c.png"]
HEADER = FilmHeader(study_uid="1.2.3", modality="DX", display_note="note")


@pytest.fixture
def kit(postgres_url: str) -> Iterator[RunKit]:
    """A run kit on PostgreSQL."""
    database = Database(postgres_url)
    ensure_schema(database)
    yield RunKit(database)
    database.dispose()


def in_order(locked: Sequence[str], order: Sequence[LockedRows]) -> list[str]:
    """Return what a transaction locked, each once, where it first did; fail where `order` has it otherwise."""
    first = list(dict.fromkeys(locked))
    places = {table: place for place, together in enumerate(order) for table in together.rows.split(", ")}
    assert first == sorted(first, key=places.__getitem__)
    return first


def only(transactions: Sequence[Sequence[str]]) -> Sequence[str]:
    (one,) = transactions
    return one


def received(instance: str, digest: str) -> ReceivedFilm:
    sha256 = digest * 64
    path = f"{sha256[:2]}/{sha256}.dcm".encode()
    return ReceivedFilm(instance, "1.2", "1.2.1", sha256, 10, path, 5, Sender("PACS", "WETREAD", "10.0.0.1"))


def read(kit: RunKit, batch: int) -> Claim:
    """Settle a batch of films with headers; return its claim."""
    held = kit.claim(batch)
    assert held is not None
    with kit.database.writing() as session:
        assert settle_together(session, [(held, [done(item, header=HEADER) for item in held.items])]) == [None]
        add_stage_seconds(session, held.run_id, {"decode": 1.0})
    return held


def test_what_a_statement_locks_is_told_of_its_text() -> None:
    assert rows_locked("SELECT a.id FROM a JOIN b ON true WHERE a.id IN (SELECT c.id FROM c) FOR UPDATE", {}) == ["a"]
    assert rows_locked("WITH l AS (SELECT a.id FROM a FOR UPDATE) SELECT (SELECT 1 FROM l) FROM b", {}) == ["a"]
    assert rows_locked("SELECT a.id FROM a, b FOR KEY SHARE OF b", {}) == ["b"]
    assert rows_locked("UPDATE a SET b=(SELECT c.d FROM c)", {}) == ["a"]
    assert rows_locked("INSERT INTO a (b) VALUES (1)", {}) == []
    assert rows_locked("INSERT INTO a (b) VALUES (1) ON CONFLICT DO NOTHING", {}) == ["a"]
    assert rows_locked("SELECT a.id FROM a", {}) == []


def test_claims_attempts_and_settlements_lock_in_one_order(kit: RunKit) -> None:
    _, recorded = kit.filled(NAMES)
    (batch,) = recorded.batch_ids
    assert kit.claim(batch, "dead:1:1", lease_seconds=-1)
    with recorded_locks(kit.database) as locked:
        held = kit.claim(batch)  # of a worker that seems dead: its death is counted on the items and the run
    assert held is not None
    assert in_order(only(locked), SETTLING) == ["batches", "work_items", "runs"]
    with recorded_locks(kit.database) as locked, kit.database.writing() as session:
        count_attempt(session, held, held.items[0].image_id)
    assert in_order(only(locked), SETTLING) == ["batches", "work_items", "runs"]
    with recorded_locks(kit.database) as locked, kit.database.writing() as session:
        release_dead(session, held.owner, 1)
    assert in_order(only(locked), SETTLING) == ["batches", "work_items", "runs"]
    with recorded_locks(kit.database) as locked:
        read(kit, batch)
    _, settled = locked
    whole = ["(readings)", "batches", "predictions", "film_headers", "work_items", "run_tallies", "runs", "run_stages"]
    assert in_order(settled, SETTLING) == whole


def test_cancelling_locks_as_settling_does(kit: RunKit) -> None:
    run, _ = kit.filled(NAMES)
    with kit.database.writing() as session:
        set_state(session, run, RunState.CANCELLED)
    with recorded_locks(kit.database) as locked, kit.database.writing() as session:
        assert cancel_pending(session, run)
    assert in_order(only(locked), SETTLING) == ["(readings)", "batches", "work_items", "runs"]


def test_deleting_and_deciding_anew_lock_in_one_order(kit: RunKit) -> None:
    runs = []
    for force in (False, True):
        run, recorded = kit.filled(NAMES, force=force)
        read(kit, *recorded.batch_ids)
        runs.append(run)
    with recorded_locks(kit.database) as locked:
        put_in_force(kit.database, Decision(DIGEST, temperature=1.0, thresholds={"normal": 0.9}), LABELS)
    orders = [in_order(each, DELETING) for each in locked]
    assert orders[:2] == [["(readings)", "models"], ["(readings)", "predictions", "run_tallies"]]
    with recorded_locks(kit.database) as locked, kit.database.writing() as session:
        delete_run(session, runs[1])
    whole = ["(readings)", "batches", "runs", "work_items", "predictions", "film_headers", "run_tallies", "run_stages"]
    assert in_order(only(locked), DELETING) == [*whole, "numbers_given"]


def test_receiving_taking_and_erasing_lock_in_one_order(kit: RunKit) -> None:
    with kit.database.writing() as session:
        (root,) = root_ids(session, [b"/spool/films"])
        open_account(session, root)
        runs = WatchRuns.open(session, [root], (DIGEST, None), "numpy", 64)
        note_received(session, root, [received("1.1", "a")])
    with recorded_locks(kit.database) as locked, kit.database.writing() as session:
        note_received(session, root, [received("1.1", "a"), received("1.1", "b")])
    assert in_order(only(locked), RECORDING) == ["(received)", "received", "received_accounts"]
    with recorded_locks(kit.database) as locked, kit.database.writing() as session:
        assert take(session, runs, root) == 2
    assert in_order(only(locked), RECORDING) == ["received", "(walk)", "roots", "runs", "images", "received_accounts"]
    with kit.database.reading() as session:
        (batch,) = session.scalars(select(Batch.id)).all()
        (image, _) = session.scalars(select(Image.id).order_by(Image.id)).all()
    read(kit, batch)
    with recorded_locks(kit.database) as locked, kit.database.writing() as session:
        assert erase_images(session, [image]).images == 1
    whole = ["film_headers", "runs", "work_items", "run_tallies", "predictions", "same_pictures", "images"]
    assert in_order(only(locked), ERASING) == ["received", "(readings)", "batches", *whole, "received_accounts"]


def test_moving_images_that_are_there_twice_locks_as_erasing_does(kit: RunKit) -> None:
    for directory, names in ((b"/films/2024", NAMES), (b"/films", [b"2024/" + name for name in NAMES])):
        with kit.database.writing() as session:
            if directory == b"/films":  # two directories that each have images of their own: as before they were joined
                session.add(Root(path=directory, created_at=utc_now()))
                session.flush()
                kit.root = session.scalars(select(Root.id).where(Root.path == directory)).one()
            else:
                (kit.root,) = root_ids(session, [directory])
        _, recorded = kit.filled(names)
        read(kit, *recorded.batch_ids)
    with recorded_locks(kit.database) as locked, kit.database.writing() as session:
        root_ids(session, [b"/films"])
    order = in_order(only(locked), ERASING)
    assert order[:5] == ["(roots)", "roots", "(readings)", "batches", "film_headers"]
    assert order[5] == "runs"
    assert set(order[6:]) == {"work_items", "predictions", "same_pictures", "images"}
