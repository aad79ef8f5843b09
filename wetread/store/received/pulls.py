"""Stores pulls: what is asked of a peer, written down before anything is fetched, and each instance's state.

The counts of a pull change in the transaction that changes its instances; the database refuses others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from schemas.states import PulledState, PullState
from schemas.tables import Pull, PullInstance, PullStudy, Received
from wetread.clock import utc_now
from wetread.store.core.upsert import insert_for
from wetread.store.received.peers import check_asked_for

_COUNTS = ("asked", "pending", "received", "failed", "gone", "not_wanted")
_AT_ONCE = 500
_LONGEST_WHY = 200


@dataclass(frozen=True, slots=True)
class PullWish:
    """What a pull is for. wish: SHA-256 of all that was asked for; since, until: YYYY-MM-DD or None."""

    peer: str
    wish: str
    root_id: int
    since: str | None
    until: str | None
    modalities: str
    via: str


@dataclass(frozen=True, slots=True)
class PullRow:
    """A pull: what it is for, where it stands, and its accounts; short: studies of which instances were not named."""

    id: int
    peer: str
    since: str | None
    until: str | None
    modalities: str
    via: str
    state: PullState
    note: str | None
    created_at: datetime
    ended_at: datetime | None
    asked: int
    pending: int
    received: int
    failed: int
    gone: int
    not_wanted: int
    studies: int
    short: int


@dataclass(frozen=True, slots=True)
class NamedInstance:
    """An instance that a peer named. is_wanted: it is a film of a modality that was asked for."""

    series_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    is_wanted: bool


@dataclass(frozen=True, slots=True)
class PendingInstance:
    """An instance to fetch: the number of its row, and its UIDs."""

    id: int
    study_uid: str
    series_uid: str
    sop_instance_uid: str
    sop_class_uid: str


def open_pull(session: Session, wish: PullWish) -> tuple[int, bool]:
    """Return the number of an unfinished pull of this wish, or of a new pull, and whether it existed."""
    query = select(Pull).where(Pull.peer == wish.peer, Pull.wish == wish.wish, Pull.state != PullState.FINISHED)
    found = session.scalar(query.with_for_update())
    if found is not None:
        found.via, found.root_id, found.note = wish.via, wish.root_id, None
        if found.state == PullState.INCOMPLETE:  # what the peer has is asked for anew, and what failed is tried again
            found.state = PullState.ASKING
            _settle(session, found.id, _numbers(session, found.id, PulledState.FAILED), PulledState.PENDING, None)
        return found.id, True
    row = Pull(
        peer=wish.peer, wish=wish.wish, root_id=wish.root_id, since=wish.since, until=wish.until,
        modalities=wish.modalities, via=wish.via, state=PullState.ASKING, created_at=utc_now(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row.id, False


def write_study(
    session: Session, pull_id: int, study_uid: str, stated: int | None, count: int, named: Sequence[NamedInstance]
) -> None:
    """Write down a study and what it holds; instances that are written down already stay as they are.

    count: instances that the peer named, those of other modalities included, which are not among `named`.
    """
    insert = insert_for(session)
    values = {"pull_id": pull_id, "study_uid": study_uid, "stated": stated, "named": count}
    session.execute(
        insert(PullStudy).values(values).on_conflict_do_update(
            index_elements=["pull_id", "study_uid"], set_={"stated": stated, "named": count}
        )
    )  # fmt: skip
    counts: Counter[str] = Counter()
    for start in range(0, len(named), _AT_ONCE):
        rows = [
            {
                "pull_id": pull_id, "study_uid": study_uid, "series_uid": one.series_uid,
                "sop_instance_uid": one.sop_instance_uid, "sop_class_uid": one.sop_class_uid,
                "state": PulledState.PENDING if one.is_wanted else PulledState.NOT_WANTED,
            }
            for one in named[start : start + _AT_ONCE]
        ]  # fmt: skip
        new = insert(PullInstance).values(rows).on_conflict_do_nothing().returning(PullInstance.state)
        counts.update(session.scalars(new))
    _count(session, pull_id, counts + Counter(asked=counts.total()))


def whole_studies(session: Session, pull_id: int) -> dict[str, int]:
    """Return {study: its instances} of the studies of which the peer named all that it says it has."""
    query = select(PullStudy.study_uid, PullStudy.named).where(
        PullStudy.pull_id == pull_id, PullStudy.named == PullStudy.stated
    )
    return {uid: int(count) for uid, count in session.execute(query)}


def has_received(session: Session, root_id: int, sop_instance_uid: str) -> bool:
    """Return whether a spool has a film of this instance."""
    query = select(Received.id).where(
        Received.sop_instance_uid == sop_instance_uid, Received.root_id == root_id, Received.path.is_not(None)
    )
    return session.scalar(query.limit(1)) is not None


def settle_received(session: Session, pull_id: int) -> int:
    """Say of pending instances that they are received where the spool has them; return how many."""
    here = select(Received.id).where(
        Received.sop_instance_uid == PullInstance.sop_instance_uid, Received.path.is_not(None),
        Received.root_id == select(Pull.root_id).where(Pull.id == pull_id).scalar_subquery(),
    )  # fmt: skip
    pending = PullInstance.pull_id == pull_id, PullInstance.state == PulledState.PENDING
    numbers = list(session.scalars(select(PullInstance.id).where(*pending, here.exists())))
    _settle(session, pull_id, numbers, PulledState.RECEIVED, None)
    return len(numbers)


def set_pull(session: Session, pull_id: int, state: PullState, note: str | None = None) -> None:
    """Say where a pull stands, and why."""
    ended = utc_now() if state == PullState.FINISHED else None
    session.execute(update(Pull).where(Pull.id == pull_id).values(state=state, note=note, ended_at=ended))


def pending_instances(session: Session, pull_id: int, after: int, most: int) -> list[PendingInstance]:
    """Return the instances to fetch after the row `after`, in the order of their rows."""
    query = (
        select(PullInstance)
        .where(PullInstance.pull_id == pull_id, PullInstance.state == PulledState.PENDING, PullInstance.id > after)
        .order_by(PullInstance.id)
        .limit(most)
    )
    return [
        PendingInstance(row.id, row.study_uid, row.series_uid, row.sop_instance_uid, row.sop_class_uid)
        for row in session.scalars(query)
    ]


def settle_instance(session: Session, pull_id: int, number: int, state: PulledState, why: str | None) -> None:
    """Say what became of a pending instance."""
    _settle(session, pull_id, [number], state, why)


def read_pull(session: Session, pull_id: int) -> PullRow:
    """Return a pull and its accounts."""
    return _row(session, session.get_one(Pull, pull_id))


def list_pulls(session: Session, peer: str | None = None, *, limit: int = 50) -> list[PullRow]:
    """Return the pulls, of all peers or of one, the newest first; raise UsageError for a peer that never was."""
    query = select(Pull).order_by(Pull.id.desc()).limit(limit)
    if peer is not None:
        check_asked_for(session, peer, Pull.peer)
        query = query.where(Pull.peer == peer)
    return [_row(session, row) for row in session.scalars(query)]


def count_pulls(session: Session) -> dict[str, int]:
    """Return {state: pulls}; each state is there."""
    query = select(Pull.state, func.count()).group_by(Pull.state)
    found = {str(state): int(count) for state, count in session.execute(query)}
    return {str(state): found.get(state, 0) for state in PullState}


def why_failed(session: Session, pull_id: int) -> list[tuple[str, int]]:
    """Return why instances of a pull failed, and how many of each, the most first."""
    query = select(PullInstance.why, func.count()).where(
        PullInstance.pull_id == pull_id, PullInstance.state == PulledState.FAILED
    )
    rows = session.execute(query.group_by(PullInstance.why).order_by(func.count().desc()))
    return [(why or "", int(count)) for why, count in rows]


def _settle(session: Session, pull_id: int, numbers: Sequence[int], state: PulledState, why: str | None) -> None:
    before: Counter[str] = Counter()
    for start in range(0, len(numbers), _AT_ONCE):
        part = PullInstance.id.in_(numbers[start : start + _AT_ONCE])
        query = select(PullInstance.id, PullInstance.state).where(part, PullInstance.state != state)
        found = session.execute(query.order_by(PullInstance.id).with_for_update()).all()
        before.update(was for _, was in found)
        changed = PullInstance.id.in_([number for number, _ in found])
        said = None if why is None else why[:_LONGEST_WHY]
        session.execute(update(PullInstance).where(changed).values(state=state, why=said))
    counts: Counter[str] = Counter({state: before.total()})
    counts.subtract(before)
    _count(session, pull_id, counts)


def _numbers(session: Session, pull_id: int, state: PulledState) -> list[int]:
    return list(
        session.scalars(select(PullInstance.id).where(PullInstance.pull_id == pull_id, PullInstance.state == state))
    )


def _count(session: Session, pull_id: int, counts: Counter[str]) -> None:
    if any(counts.values()):
        values = {name: getattr(Pull, name) + counts[name] for name in _COUNTS if counts[name]}
        session.execute(update(Pull).where(Pull.id == pull_id).values(values))


def _row(session: Session, row: Pull) -> PullRow:
    studies, short = session.execute(
        select(func.count(), func.count().filter(PullStudy.named < PullStudy.stated))
        .where(PullStudy.pull_id == row.id)
    ).one()  # fmt: skip
    asked, pending, received, failed, gone, not_wanted = (int(getattr(row, name)) for name in _COUNTS)
    return PullRow(
        row.id, row.peer, row.since, row.until, row.modalities, row.via, PullState(row.state), row.note,
        row.created_at, row.ended_at, asked, pending, received, failed, gone, not_wanted, studies, short,
    )  # fmt: skip
