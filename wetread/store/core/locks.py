"""The order in which transactions lock rows, so that none deadlocks.

Deleting takes batches, a run's row, then items and predictions; settling takes a batch, predictions and items,
also items of other runs, then its run's row. No order of rows suits both. So the model's readings, which hold all
that the two contend for, are locked first: shared by whoever settles or cancels, alone by whoever deletes. From there
on the orders below part; each begins as `_FIRST` does. tests/integration/test_store_lock_order.py holds the program's
transactions to them; docs/decisions/0029-one-order-of-locks.md says why they are as they are.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Integer, Select, cast, func, select
from sqlalchemy.orm import Session

from schemas.tables import Batch
from wetread.store.core.sent_together import say

ADVISORY_SPACE = 0x77657473
WALK_SPACE = 0x77657477
ROOT_SPACE = 0x77657472
RECEIVED_SPACE = 0x77657463
REVIEW_SPACE = 0x77657476
"""The first of PostgreSQL's two numbers of an advisory lock, of readings, walks, roots, received films and reviews;
arbitrary, and ours."""


class LockedRows(NamedTuple):
    """Rows that a transaction locks at one place of an order.

    rows: of this table, or of these; in parentheses, an advisory lock. by: what they are sorted by where it locks
    several.
    """

    rows: str
    by: str


_FIRST = (
    LockedRows("(roots)", "there is one"),
    LockedRows("(received)", "there is one"),
    LockedRows("received", "id"),
    LockedRows("(walk)", "the run that is shadowed first"),
    LockedRows("roots", "id; new ones by path"),
    LockedRows("(readings)", "digest of the model"),
    LockedRows("batches", "id; of batches that are read together, the shadowed run's first"),
)

SETTLING = (
    *_FIRST,
    LockedRows("predictions", "digest of the model; SHA-256 of the file, then DICOM films by what they show"),
    LockedRows("same_pictures", "digest of the model, SHA-256 of the file"),
    LockedRows("film_headers", "SHA-256 of the file"),
    LockedRows("work_items", "digest of the model, image, run"),
    LockedRows("run_tallies", "run by run, each before its run's row; kind, name"),
    LockedRows("runs", "the shadowed run first; of dead workers' runs, id"),
    LockedRows("run_stages", "stage"),
)
"""Of whoever claims, counts an attempt, settles, frees or cancels. It shares the model's readings, or needs none."""

RECORDING = (
    *_FIRST,
    LockedRows("runs", "the shadowed run first; shared until the accounts are written, at the end"),
    LockedRows("images", "id; new ones by path"),
    LockedRows("received_accounts", "root"),
)
"""Of a walk, and of whoever takes received films into a run, or records that they were received."""

ERASING = (
    *_FIRST,
    LockedRows("film_headers", "SHA-256 of the file"),
    LockedRows("runs", "id; those that are running too, so that no walk finds the images meanwhile"),
    LockedRows(
        "work_items, run_tallies, predictions, same_pictures, images", "in any order: nobody else can have them by now"
    ),
    LockedRows("received_accounts", "root"),
)
"""Of whoever takes images back, or moves them to another directory's list, with all their models' readings alone."""

DELETING = (
    *_FIRST,
    LockedRows("models", "there is one"),
    LockedRows("runs", "the run that goes, which has ended; then those that shadow it"),
    LockedRows("work_items, predictions, same_pictures", "in any order: nobody else can have them by now"),
    LockedRows("film_headers", "SHA-256 of the file"),
    LockedRows("run_tallies", "run; kind, name"),
    LockedRows("run_stages", "in any order: nobody else can have them by now"),
    LockedRows("numbers_given", "there is one"),
)
"""Of whoever deletes a run or decides readings anew, with the model's readings alone."""


def lock_readings(session: Session, model_digest: str, *, alone: bool = False) -> None:
    """Wait for, and hold until the transaction ends, the model's readings: `alone`, or shared with others not alone.

    Call it where the orders above have it. SQLite needs none: one transaction writes at a time. Two models
    whose digests begin alike share a lock, which costs a wait and no harm. An advisory lock and not the model's row:
    who waits to be alone would wait for ever on a row whose shared locks overlap; here the later ones queue behind.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    lock = func.pg_advisory_xact_lock if alone else func.pg_advisory_xact_lock_shared
    # The least of PostgreSQL's integers cannot be written as one: its sign is applied after its cast.
    key = max(int(model_digest[:8], 16) - 2**31, 1 - 2**31)
    say(session, select(lock(cast(ADVISORY_SPACE, Integer), cast(key, Integer))))


def lock_batches(session: Session, batch_ids: Select[Any]) -> None:
    """Lock these batches before their runs' rows, as whoever counts an attempt or frees what a dead worker held does.

    PostgreSQL locks the run's row too where a transaction changes a batch twice.
    """
    locked = select(Batch.id).where(Batch.id.in_(batch_ids)).order_by(Batch.id).with_for_update(of=Batch)
    session.execute(locked).all()


def lock_roots(session: Session) -> None:
    """Wait for, and hold until the transaction ends, the right to say which directories share images.

    Of two commands that begin with a directory and one inside it, the second has to see the first's. Before all
    other locks. SQLite needs none.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(cast(ROOT_SPACE, Integer), cast(0, Integer))))


def lock_received(session: Session) -> None:
    """Wait for, and hold until the transaction ends, the right to record received films.

    Of two that record other bytes under one SOP instance UID, the second has to see the first's. SQLite needs none.
    """
    if session.get_bind().dialect.name == "postgresql":
        say(session, select(func.pg_advisory_xact_lock(cast(RECEIVED_SPACE, Integer), cast(0, Integer))))


def lock_reviews(session: Session) -> None:
    """Wait for, and hold until the transaction ends, the right to add a review: each names the one before.

    SQLite needs none.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(cast(REVIEW_SPACE, Integer), cast(0, Integer))))


def lock_walk(session: Session, run_id: int) -> None:
    """Wait for, and hold until the transaction ends, the recording of a run's files, and have it look rows up.

    SQLite needs neither. Two runs whose numbers are 2**31 apart share a lock, which costs a wait and no harm.
    PostgreSQL knows nothing yet of tables that have just grown, and would read them whole for some thousand files, or
    keep a plan that it made when they were empty.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    lock = func.pg_advisory_xact_lock(cast(WALK_SPACE, Integer), cast(run_id % 2**31, Integer))
    off = ("hashjoin", "mergejoin", "material")
    plans = {f"enable_{kind}": "off" for kind in off} | {"plan_cache_mode": "force_custom_plan"}
    session.execute(select(lock, *(func.set_config(name, value, True) for name, value in plans.items())))
