"""Leases: which worker holds which batch until when, and what happens to a dead worker's batch.

A claim raises the batch's fence. Everything that the worker later writes names owner and fence, so that one
that slept past its lease and wakes finds that its commit changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from sqlalchemy import ColumnElement, Row, Select, and_, or_, select, update
from sqlalchemy.orm import Session, aliased

from schemas.errors import LeaseLost
from schemas.films import ACCEPTED, Accepted
from schemas.states import RunState
from schemas.tables import Batch, Model, Run
from wetread.store.core.database_clock import database_seconds
from wetread.store.core.sent_together import PLAIN, say
from wetread.store.work.batch_images import ClaimedItem as ClaimedItem
from wetread.store.work.batch_images import pending_items as pending_items
from wetread.store.work.death_notes import count_deaths, note_how_it_ended
from wetread.store.work.doubts import Doubt, read_doubts, with_doubt


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


_BATCHES: Any = Batch.__table__
_RUNNING = select(Run.id).where(Run.state == RunState.RUNNING)


def is_free() -> ColumnElement[bool]:
    """Return whether nobody holds the batch, or its lease has run out."""
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


def rides() -> ColumnElement[bool]:
    """Return whether whoever takes the batch that it rides on takes it too; until then it is nobody's to take."""
    return and_(read_with_another(), Batch.owner.is_(None))


def running_of(session: Session, run_ids: Sequence[int]) -> list[int]:
    """Return those of the runs that are running, in the order given."""
    running = set(session.scalars(select(Run.id).where(Run.id.in_(run_ids), Run.state == RunState.RUNNING)))
    return [run_id for run_id in run_ids if run_id in running]


def next_batches(session: Session, run_ids: Sequence[int], count: int) -> list[int]:
    """Return the ids of up to `count` batches that wait for a worker, the oldest first, of the first run with any."""
    for run_id in run_ids:
        waiting = (Batch.run_id == run_id, Batch.pending > 0, is_free(), ~rides())
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
    row = session.execute(_to_claim(batch_id, owner), execution_options=PLAIN).first()
    if row is None:
        return None
    of_run, untouched = _ReadFor.of(row), row.untouched
    took_over, fence, kills, doubts = row.owner not in (None, owner), row.fence + 1, row.kills, row.doubts
    values: dict[str, Any] = {"owner": owner, "fence": fence, "lease_until": database_seconds() + lease_seconds}
    if took_over:
        kills += 1
        doubts = with_doubt(doubts, Doubt(row.owner, row.fence, killed=True))
        values |= {"kills": kills, "doubts": doubts}
    say(session, update(_BATCHES).where(_BATCHES.c.id == batch_id).values(values))
    if took_over:
        note_how_it_ended(session, [batch_id], None)  # it was silent, on whatever machine: nobody knows more
        count_deaths(session, [row.run_id])
        untouched = session.scalar(select(Run.untouched).where(Run.id == row.run_id)) or 0
    items = pending_items(session, batch_id)
    riders = _take_riders(session, batch_id, owner, lease_seconds) if row.shadowed and not kills else ()
    said = tuple(read_doubts(doubts))
    return Claim(
        batch_id, row.run_id, owner, fence, kills > 0, of_run.model_digest, of_run.engine, of_run.force,
        of_run.decision_digest, items, riders, took_over, of_run.accepted, untouched, said,
    )  # fmt: skip


def _to_claim(batch_id: int, owner: str) -> Select[Any]:
    """Return the query for a claimable batch, locked, with the facts of its run."""
    free = or_(is_free(), Batch.owner == owner)
    batch = Batch.run_id, Batch.owner, Batch.fence, Batch.kills, Batch.doubts, Run.untouched
    return (
        _read_for(*batch)
        .join(Run, Run.id == Batch.run_id)
        .join(Model, Model.digest == Run.model_digest)
        .where(Batch.id == batch_id, Batch.pending > 0, free, ~rides(), Run.state == RunState.RUNNING)
        .with_for_update(of=Batch)
    )


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
    return tuple(_rider(session, owner, *row) for row in sorted(tuple(row) for row in taken))


def _rider(session: Session, owner: str, batch_id: int, run_id: int, fence: int) -> Claim:
    query = _read_for().select_from(Run).join(Model, Model.digest == Run.model_digest).where(Run.id == run_id)
    of_run = _ReadFor.of(session.execute(query, execution_options=PLAIN).one())
    items = pending_items(session, batch_id)
    return Claim(
        batch_id, run_id, owner, fence, False, of_run.model_digest, of_run.engine, of_run.force,
        of_run.decision_digest, items,
    )  # fmt: skip


class _ReadFor(NamedTuple):
    """The facts of a run that a worker needs to read for it."""

    model_digest: str
    engine: str
    force: bool
    decision_digest: str
    accepted: Accepted

    @classmethod
    def of(cls, row: Row[Any]) -> Self:
        """Return it of a row of `_read_for`."""
        accepted = Accepted.from_json(row.accepts)
        return cls(row.model_digest, row.engine, row.force, row.decision_digest, accepted)


def _read_for(*also: Any) -> Select[Any]:
    """Return a question for a run's model, engine, decision, and accepted words, and whether it is shadowed."""
    shadow = aliased(Run)
    shadowed = select(shadow.id).where(shadow.shadow_of == Run.id).exists().label("shadowed")
    run = Run.model_digest, Run.engine, Run.force, Model.decision_digest, Run.accepts
    return select(*also, *run, shadowed)


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
