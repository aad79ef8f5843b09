"""Takes back what was counted against a batch or an image when its worker turns out to be alive.

A lease that ran out is counted as its worker's death, and an image's attempt is counted before it is touched. Both may
be wrong of a worker that was cut off from the database, stood still, or never heard that its claim was granted. Each is
noted on the batch, under the claim's owner and fence, so that it is counted once and taken back once, however often the
database is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any

from sqlalchemy import case, or_, select, update
from sqlalchemy.orm import Session

from schemas.states import ItemState
from schemas.tables import Batch, Run, WorkItem


@dataclass(frozen=True, slots=True)
class Doubt:
    """What was counted of one claim. image_id: the image that it took alone last; killed: its worker's death."""

    owner: str
    fence: int
    image_id: int | None = None
    killed: bool = False


def read_doubts(stored: Iterable[Sequence[Any]] | None) -> list[Doubt]:
    """Return them as a batch's row holds them."""
    return [Doubt(*one) for one in stored or ()]


def with_doubt(stored: Iterable[Sequence[Any]] | None, said: Doubt) -> list[list[Any]]:
    """Return a row's doubts with what is said of a claim now added to what was said of it before."""
    known = read_doubts(stored)
    before = next((one for one in known if (one.owner, one.fence) == (said.owner, said.fence)), Doubt(*astuple(said)))
    image_id = before.image_id if said.image_id is None else said.image_id
    merged = replace(before, image_id=image_id, killed=before.killed or said.killed)
    return [list(astuple(one)) for one in (*(one for one in known if one is not before), merged)]


def take_back(session: Session, batch_ids: Sequence[int], owner: str) -> None:
    """Uncount what was counted of claims of `owner`, which lives, to these batches and those that ride on them."""
    of_these = or_(Batch.id.in_(batch_ids), Batch.rides_on.in_(batch_ids))
    query = select(Batch.id, Batch.run_id, Batch.doubts).where(of_these, Batch.doubts.is_not(None))
    for batch_id, run_id, stored in session.execute(query.order_by(Batch.id).with_for_update()).all():
        doubts = read_doubts(stored)
        mine = [one for one in doubts if one.owner == owner]
        if not mine:
            continue
        rest = [list(astuple(one)) for one in doubts if one.owner != owner]
        wrong = sum(one.killed for one in mine)
        session.execute(
            update(Batch)
            .where(Batch.id == batch_id)
            .values(kills=Batch.kills - wrong, doubts=rest or None)
            .execution_options(synchronize_session=False)
        )
        for one in mine:
            session.execute(
                update(WorkItem)
                .where(WorkItem.run_id == run_id, WorkItem.image_id == one.image_id, WorkItem.attempts > 0)
                .where(WorkItem.batch_id == batch_id, WorkItem.state == ItemState.PENDING)
                .values(attempts=WorkItem.attempts - 1, oom_kills=None)
                .execution_options(synchronize_session=False)
            )
        untouched = case((Run.untouched > wrong, Run.untouched - wrong), else_=0)
        session.execute(update(Run).where(Run.id == run_id, Run.untouched > 0).values(untouched=untouched))


def disown(session: Session, batch_ids: Sequence[int], owner: str) -> None:
    """Give back, as not tried, what `owner` may hold of these batches without knowing, and uncount what it does not.

    The ring that a batch answered is used up: the next sweep rings anew.
    """
    of_these = or_(Batch.id.in_(batch_ids), Batch.rides_on.in_(batch_ids))
    session.execute(
        update(Batch)
        .where(of_these, Batch.owner == owner, Batch.pending > 0)
        .values(owner=None, lease_until=None, rung_at=None)
        .execution_options(synchronize_session=False)
    )
    take_back(session, batch_ids, owner)


def disown_all(session: Session, owner: str) -> None:
    """Give back, as not tried, all that a process holds that ended in order, or was ended for no film's fault."""
    query = select(Batch.id).where(Batch.owner == owner, Batch.pending > 0)
    if held := session.scalars(query).all():
        disown(session, held, owner)
