"""Leases: who works on which batch, until when, and what becomes of a batch whose worker died.

A claim raises the batch's fence. Everything that the worker later writes names owner and fence, so that one
that slept past its lease and wakes finds that its commit changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from schemas.errors import LeaseLost
from schemas.films import ACCEPTED, Accepted
from schemas.states import ItemState, Reason, RunState
from schemas.tables import Batch, Image, Model, Run, WorkItem
from wetread.store.death_notes import count_deaths, note_how_it_ended
from wetread.store.doubts import Doubt, read_doubts, with_doubt
from wetread.store.moments import database_seconds
from wetread.store.places import known_roots, seen_from


@dataclass(frozen=True, slots=True)
class ClaimedItem:
    """One image to read: where it is, how often it was tried alone, and what was noted when that failed.

    sha256, size, mtime_ns: of its file when it was last tried alone, or as the walk saw it.
    """

    image_id: int
    root: bytes
    path: bytes
    attempts: int
    reason: Reason | None
    detail: str | None
    sha256: str | None = None
    size: int | None = None
    mtime_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch under our lease.

    one_at_a_time: a worker died holding this batch, so that one of its images may be the cause.
    decision_digest: of the decision that was in force for the model when the batch was taken.
    took_over: it was another's, whose lease had run out.
    riders: batches of a shadow's run under our lease too, whose images are read with these.
    accepted: words of DICOM headers that the run is to read anyway.
    untouched: workers that died in a row with a batch of the run, before one of its images was tried alone or settled.
    doubts: what was counted of claims whose worker may live.
    """

    batch_id: int
    run_id: int
    owner: str
    fence: int
    one_at_a_time: bool
    model_digest: str
    engine: str
    force: bool
    decision_digest: str
    items: tuple[ClaimedItem, ...]
    riders: tuple[Claim, ...] = ()
    took_over: bool = False
    accepted: Accepted = ACCEPTED
    untouched: int = 0
    doubts: tuple[Doubt, ...] = ()


_RUNNING = select(Run.id).where(Run.state == RunState.RUNNING)


def _free() -> ColumnElement[bool]:
    return or_(Batch.lease_until.is_(None), Batch.lease_until < database_seconds())


def read_with_another() -> ColumnElement[bool]:
    """Return whether a shadow's batch is read together with the one that it rides on: the two are one piece of work.

    After a worker's death, or once that batch is settled or not to be read, it is a batch like any other.
    """
    leader = aliased(Batch)
    led = select(leader.id).where(
        leader.id == Batch.rides_on, leader.pending > 0, leader.kills == 0, leader.run_id.in_(_RUNNING)
    )
    return and_(Batch.rides_on.is_not(None), Batch.kills == 0, led.exists())


def _rides() -> ColumnElement[bool]:
    """Return whether whoever takes the batch that it rides on takes it too; until then it is nobody's to take."""
    return and_(read_with_another(), Batch.owner.is_(None))


def running_of(session: Session, run_ids: Sequence[int]) -> list[int]:
    """Return those of the runs that are running, in the order given."""
    running = set(session.scalars(select(Run.id).where(Run.id.in_(run_ids), Run.state == RunState.RUNNING)))
    return [run_id for run_id in run_ids if run_id in running]


def next_batches(session: Session, run_ids: Sequence[int], count: int) -> list[int]:
    """Return the ids of up to `count` batches that wait for a worker, the oldest first, of the first run with any."""
    for run_id in run_ids:
        waiting = (Batch.run_id == run_id, Batch.pending > 0, _free(), ~_rides())
        if found := session.scalars(select(Batch.id).where(*waiting).order_by(Batch.id).limit(count)).all():
            return list(found)
    return []


def claim(session: Session, batch_id: int, owner: str, lease_seconds: float) -> Claim | None:
    """Take the lease of a batch; None when it is settled, held by another, or its run is not running.

    A lease of another that ran out is counted as its death; if it lives, it takes that back (store/doubts.py). What is
    `owner`'s already is taken anew: so ends a claim whose answer was lost. What rides on the batch is taken with it,
    but where a worker died on either: then each is read by itself, so that the one's model does no harm to the other's
    images.
    """
    free = or_(_free(), Batch.owner == owner)
    before = session.execute(
        select(Batch.run_id, Batch.owner, Batch.fence, Batch.kills, Batch.doubts)
        .where(Batch.id == batch_id, Batch.pending > 0, free, ~_rides(), Batch.run_id.in_(_RUNNING))
        .with_for_update(of=Batch)
    ).first()
    if before is None:
        return None
    run_id, owner_before, fence_before, kills, doubts = before
    took_over, fence = owner_before not in (None, owner), fence_before + 1
    values: dict[str, Any] = {"owner": owner, "fence": fence, "lease_until": database_seconds() + lease_seconds}
    if took_over:
        kills += 1
        doubts = with_doubt(doubts, Doubt(owner_before, fence_before, killed=True))
        values |= {"kills": kills, "doubts": doubts}
    session.execute(
        update(Batch).where(Batch.id == batch_id).values(values).execution_options(synchronize_session=False)
    )
    if took_over:
        note_how_it_ended(session, [batch_id], None)  # it was silent, on whatever machine: nobody knows more
        count_deaths(session, [run_id])
    of_run, shadowed = _run_to_read(session, run_id)
    items = pending_items(session, batch_id)
    riders = _take_riders(session, batch_id, owner, lease_seconds) if shadowed and not kills else ()
    said = tuple(read_doubts(doubts))
    untouched = session.scalar(select(Run.untouched).where(Run.id == run_id)) or 0
    how = *of_run[:-1], items, riders, took_over, of_run[-1], untouched, said
    return Claim(batch_id, run_id, owner, fence, kills > 0, *how)


def _take_riders(session: Session, batch_id: int, owner: str, lease_seconds: float) -> tuple[Claim, ...]:
    taken = session.execute(
        update(Batch)
        .where(Batch.rides_on == batch_id, Batch.pending > 0, Batch.kills == 0)
        .where(or_(Batch.owner.is_(None), Batch.owner == owner))
        .where(Batch.run_id.in_(_RUNNING))
        .values(owner=owner, fence=Batch.fence + 1, lease_until=database_seconds() + lease_seconds)
        .returning(Batch.id, Batch.run_id, Batch.fence)
        .execution_options(synchronize_session=False)
    ).all()
    return tuple(
        Claim(rider, run_id, owner, fence, False, *_run_to_read(session, run_id)[0][:-1], pending_items(session, rider))
        for rider, run_id, fence in sorted(tuple(row) for row in taken)
    )


def _run_to_read(session: Session, run_id: int) -> tuple[tuple[str, str, bool, str, Accepted], bool]:
    """Return a run's (model, engine, whether it is forced, decision, accepted words), and if it is shadowed."""
    shadow = aliased(Run)
    shadowed = select(shadow.id).where(shadow.shadow_of == Run.id).exists()
    query = select(Run.model_digest, Run.engine, Run.force, Model.decision_digest, Run.accepts, shadowed)
    row = session.execute(query.join(Model, Model.digest == Run.model_digest).where(Run.id == run_id)).one()
    digest, engine, force, decision, accepts, is_shadowed = row
    return (digest, engine, force, decision, Accepted.from_json(accepts)), is_shadowed


def pending_items(session: Session, batch_id: int) -> tuple[ClaimedItem, ...]:
    """Return the images of a batch that are to be read, whoever holds it."""
    query = (
        select(
            Image.id, Image.root_id, Image.path, WorkItem.attempts, WorkItem.reason, WorkItem.detail, WorkItem.sha256,
            func.coalesce(WorkItem.size, Image.size).label("size"),
            func.coalesce(WorkItem.mtime_ns, Image.mtime_ns).label("mtime_ns"),
        )
        .join(Image, Image.id == WorkItem.image_id)
        .where(WorkItem.batch_id == batch_id, WorkItem.state == ItemState.PENDING)
        .order_by(Image.id)
    )  # fmt: skip
    rows = session.execute(query).all()
    asked = session.scalar(select(Run.root_ids).join(Batch, Batch.run_id == Run.id).where(Batch.id == batch_id)) or []
    # Read after the images: where these are moved meanwhile, the name that they had is still theirs.
    roots = {root.id: root for root in known_roots(session, [*asked, *(row.root_id for row in rows)])}
    given = [roots[root_id] for root_id in asked]
    return tuple(
        ClaimedItem(
            row.id,
            *seen_from(given, roots[row.root_id], row.path),
            row.attempts,
            None if row.reason is None else Reason(row.reason),
            row.detail,
            row.sha256,
            row.size,
            row.mtime_ns,
        )
        for row in rows
    )


def renew(session: Session, held: Claim, lease_seconds: float) -> None:
    """Hold the lease longer; raise LeaseLost when it is another's by now."""
    changed = session.execute(
        _ours(held)
        .values(lease_until=database_seconds() + lease_seconds)
        .returning(Batch.id)
        .execution_options(synchronize_session=False)
    )
    if changed.first() is None:
        raise LeaseLost(f"batch {held.batch_id}: expected to hold its lease, found another owner; nothing was written")


def release(session: Session, held: Claim) -> None:
    """Give the batch back, as not tried: for a root that is gone, a model that is missing, an orderly stop.

    What was read with it is given back too.
    """
    free = {"owner": None, "lease_until": None}
    for one in (held, *held.riders):
        session.execute(_ours(one).values(free).execution_options(synchronize_session=False))


def hold(session: Session, held: Claim) -> None:
    """Lock the batch for this transaction; raise LeaseLost when it is another's by now."""
    kept = session.execute(_ours(held).values(fence=held.fence).returning(Batch.id)).first()
    if kept is None:
        raise LeaseLost(f"batch {held.batch_id}: expected to hold its lease, found another owner; nothing was written")


def _ours(held: Claim):  # type: ignore[no-untyped-def]  # SQLAlchemy's Update, refined by the caller
    return update(Batch).where(Batch.id == held.batch_id, Batch.owner == held.owner, Batch.fence == held.fence)


def release_dead(session: Session, owner: str, oom_kills: int | None = None) -> int:
    """Free the batches of a worker that is known to be dead, counting its death; return how many.

    The ring that it answered is used up: the next sweep rings anew.
    oom_kills: processes that the kernel of its machine has ended for lack of memory so far; None where nobody knows.
    """
    mine = select(Batch.id).where(Batch.owner == owner, Batch.pending > 0).order_by(Batch.id).with_for_update()
    held = list(session.scalars(mine))
    note_how_it_ended(session, held, oom_kills)
    freed = session.execute(
        update(Batch)
        .where(Batch.owner == owner, Batch.pending > 0)
        .values(owner=None, lease_until=None, kills=Batch.kills + 1, rung_at=None)
        .returning(Batch.run_id)
        .execution_options(synchronize_session=False)
    )
    runs = list(freed.scalars())
    count_deaths(session, runs)
    return len(runs)


def owners(session: Session, run_id: int | None = None) -> list[str]:
    """Return the owners that hold batches not settled yet."""
    query = select(Batch.owner).where(Batch.owner.is_not(None), Batch.pending > 0).distinct()
    if run_id is not None:
        query = query.where(Batch.run_id == run_id)
    return [owner for owner in session.scalars(query) if owner is not None]


def batches_to_ring(session: Session, *, high_water: int, patience: float, limit: int = 256) -> list[int]:
    """Return batches that wait for a worker and for which the broker is to be rung, oldest first.

    high_water: at most so many batches are rung for and not settled.
    patience: seconds after which a ring that no worker has answered counts as lost.
    """
    waiting = (Batch.run_id.in_(_RUNNING), Batch.pending > 0)
    lost = Batch.rung_at < database_seconds() - patience
    outstanding = session.scalar(
        select(func.count()).select_from(Batch).where(*waiting, Batch.rung_at.is_not(None), or_(~_free(), ~lost))
    )
    room = min(limit, high_water - (outstanding or 0))
    if room <= 0:
        return []
    # Shadows last: what only they have to read keeps no other run waiting.
    for_shadows = Batch.run_id.in_(select(Run.id).where(Run.shadow_of.is_not(None)))
    due = select(Batch.id).where(*waiting, _free(), ~_rides(), or_(Batch.rung_at.is_(None), lost)).order_by(Batch.id)
    first = list(session.scalars(due.where(~for_shadows).limit(room)))
    room -= len(first)
    return first + list(session.scalars(due.where(for_shadows).limit(room))) if room else first


def mark_rung(session: Session, batch_ids: list[int]) -> None:
    """Remember that the broker was rung for these batches."""
    session.execute(
        update(Batch)
        .where(Batch.id.in_(batch_ids))
        .values(rung_at=database_seconds())
        .execution_options(synchronize_session=False)
    )
