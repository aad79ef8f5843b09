"""Records received films before their sender is told so, then takes them into runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, func, insert, or_, select, text, update
from sqlalchemy.orm import Session

from schemas.received_tables import IS_WAITING
from schemas.states import ReceivedState
from schemas.tables import Received, ReceivedAccount
from wetread.clock import utc_now
from wetread.store.core.locks import lock_received
from wetread.store.core.upsert import insert_for
from wetread.store.images.recording import FoundFile


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent an object: the title it called by, the one it called, its address. All empty where that is not known."""

    calling: str = ""
    called: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class ReceivedFilm:
    """An object that was received. path: relative to the spool's root; None where it was not kept."""

    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    sha256: str
    size: int
    path: bytes | None
    mtime_ns: int
    sender: Sender


@dataclass(frozen=True, slots=True)
class ReceivedTotals:
    """Films received = taken + waiting; conflicts of these; copies and not wanted objects beside them."""

    received: int = 0
    taken: int = 0
    waiting: int = 0
    conflicts: int = 0
    copies: int = 0
    not_wanted: int = 0


@dataclass(frozen=True, slots=True)
class WaitingFilm:
    """A film that no run has taken: the number of its row, and its file."""

    id: int
    file: FoundFile


def open_account(session: Session, root_id: int) -> None:
    """Make the accounts of a spool, where there are none."""
    values = {"root_id": root_id} | dict.fromkeys(_COUNTS, 0)
    session.execute(insert_for(session)(ReceivedAccount).values(values).on_conflict_do_nothing())


def note_received(session: Session, root_id: int, films: Sequence[ReceivedFilm]) -> None:
    """Record `films` of one spool, in their order: new ones, those that came before, and other bytes of one instance.

    Locks in the order `RECORDING` of wetread.store.core.locks, as `waiting_films` and `note_taken` do.
    """
    lock_received(session)
    known = _known(session, {film.sop_instance_uid for film in films})
    counts: Counter[str] = Counter()
    again: Counter[int] = Counter()
    new: dict[tuple[str, str], dict[str, Any]] = {}
    for film in films:
        key = (film.sop_instance_uid, film.sha256)
        of_instance = known.setdefault(film.sop_instance_uid, {})
        if (film.sha256, root_id) in of_instance:
            counts["copies"] += 1
            if key in new:
                new[key]["copies"] += 1
            else:
                again[of_instance[film.sha256, root_id]] += 1
            continue
        row = _row(root_id, film)
        row["conflict"] = film.path is not None and any(digest != film.sha256 for digest, _ in of_instance)
        of_instance[film.sha256, root_id] = 0
        new[key] = row
        counts.update(_counted(row))
    conflicting = {row["sop_instance_uid"] for row in new.values() if row["conflict"]}
    before = _locked(session, again, conflicting)
    for number, times in sorted(again.items()):
        session.execute(update(Received).where(Received.id == number).values(copies=Received.copies + times))
    if before:
        session.execute(update(Received).where(Received.id.in_(before)).values(conflict=True))
        counts["conflicts"] += len(before)
    if conflicting:
        for row in new.values():
            if row["sop_instance_uid"] in conflicting and row["path"] is not None and not row["conflict"]:
                row["conflict"] = True
                counts["conflicts"] += 1
    if new:
        session.connection().execute(_INSERT, list(new.values()))
    add_to_account(session, root_id, counts)


def waiting_films(session: Session, root_id: int, most: int) -> list[WaitingFilm]:
    """Return the films of a spool that no run has taken, the first received first; they are locked."""
    query = (
        select(Received.id, Received.path, Received.size, Received.mtime_ns)
        .where(Received.root_id == root_id, text(IS_WAITING))
        .order_by(Received.id)
        .limit(most)
        .with_for_update()
    )
    return [
        WaitingFilm(number, FoundFile(path or b"", size, time)) for number, path, size, time in session.execute(query)
    ]


def is_any_waiting(session: Session, root_id: int) -> bool:
    """Return whether a film of a spool waits for a run; nothing is locked."""
    query = select(Received.id).where(Received.root_id == root_id, text(IS_WAITING))
    return session.scalar(query.limit(1)) is not None


def note_taken(session: Session, root_id: int, run_id: int, numbers: Sequence[int]) -> None:
    """Say that a run has taken these rows, which `waiting_films` locked in this transaction."""
    if not numbers:
        return
    session.execute(update(Received).where(Received.id.in_(numbers)).values(state=ReceivedState.TAKEN, run_id=run_id))
    add_to_account(session, root_id, Counter({"taken": len(numbers), "waiting": -len(numbers)}))


def read_received(session: Session) -> ReceivedTotals:
    """Return what all spools together received."""
    sums = [func.coalesce(func.sum(getattr(ReceivedAccount, name)), 0) for name in _COUNTS]
    row = session.execute(select(*sums)).one()
    return ReceivedTotals(**{name: int(count) for name, count in zip(_COUNTS, row, strict=True)})


def conflicts_of(session: Session, run_ids: Sequence[int]) -> dict[int, int]:
    """Return {run: films that it took whose instance came with other bytes, too}, of those that have any."""
    query = select(Received.run_id, func.count()).where(Received.run_id.in_(run_ids), Received.conflict)
    return {int(run_id or 0): int(count) for run_id, count in session.execute(query.group_by(Received.run_id))}


def recorded_digests(session: Session, root_id: int, digests: Iterable[str]) -> set[str]:
    """Return those of `digests` that a spool has a row for."""
    query = select(Received.sha256).where(Received.root_id == root_id, Received.sha256.in_(list(digests)))
    return set(session.scalars(query))


def add_to_account(session: Session, root_id: int, counts: Counter[str]) -> None:
    """Add to a spool's accounts, as the last row that a transaction locks."""
    added = {f"more_{name}": counts[name] for name in _COUNTS}
    if any(added.values()):
        session.connection().execute(_ADD, {"of": root_id} | added)


def try_writing(session: Session) -> None:
    """Write what changes nothing: whether the database takes writes."""
    session.execute(update(ReceivedAccount).values(copies=ReceivedAccount.copies))


_COUNTS = ("received", "taken", "waiting", "conflicts", "copies", "not_wanted")
# Made once, and executed by the connection: each film waits for them, and to build them anew took half of that time.
_films: Any = Received.__table__
_accounts: Any = ReceivedAccount.__table__
_INSERT = insert(_films)
_OF_INSTANCES = select(_films.c.id, _films.c.sop_instance_uid, _films.c.sha256, _films.c.root_id).where(
    _films.c.sop_instance_uid.in_(bindparam("instances", expanding=True))
)
_ADD = (
    update(_accounts)
    .where(_accounts.c.root_id == bindparam("of"))
    .values({name: _accounts.c[name] + bindparam(f"more_{name}") for name in _COUNTS})
)

_Known = dict[str, dict[tuple[str, int], int]]
"""{SOP instance: {(digest, root): row}}."""


def _known(session: Session, instances: set[str]) -> _Known:
    known: _Known = {}
    for number, instance, digest, root in session.connection().execute(_OF_INSTANCES, {"instances": list(instances)}):
        known.setdefault(instance, {})[digest, root] = number
    return known


def _row(root_id: int, film: ReceivedFilm) -> dict[str, Any]:
    return {
        "root_id": root_id, "sop_instance_uid": film.sop_instance_uid, "sop_class_uid": film.sop_class_uid,
        "transfer_syntax_uid": film.transfer_syntax_uid, "sha256": film.sha256, "size": film.size,
        "path": film.path, "mtime_ns": film.mtime_ns,
        "state": ReceivedState.NOT_WANTED if film.path is None else ReceivedState.WAITING,
        "conflict": False, "copies": 0, "calling_title": film.sender.calling, "called_title": film.sender.called,
        "address": film.sender.address, "received_at": utc_now(),
    }  # fmt: skip


def _counted(row: dict[str, Any]) -> Counter[str]:
    if row["path"] is None:
        return Counter(not_wanted=1)
    return Counter(received=1, waiting=1, conflicts=int(row["conflict"]))


def _locked(session: Session, again: Iterable[int], conflicting: set[str]) -> list[int]:
    """Lock all rows that will change, in one order; return those to be flagged, films that were there before."""
    flagged = and_(Received.sop_instance_uid.in_(conflicting), Received.path.is_not(None), ~Received.conflict)
    if not again and not conflicting:
        return []
    query = select(Received.id, flagged).where(or_(Received.id.in_(again), flagged)).order_by(Received.id)
    return [number for number, is_flagged in session.execute(query.with_for_update()) if is_flagged]
