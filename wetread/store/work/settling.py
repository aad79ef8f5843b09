"""Settles a batch: writes its images' outcomes in one fenced transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import String, case, literal, select, update
from sqlalchemy.orm import Session

from schemas.errors import LeaseLost, ReadingsChanged
from schemas.states import ItemState, RunState
from schemas.table_base import UtcDateTime
from schemas.tables import Batch, Model, Run, WorkItem
from wetread.clock import utc_now
from wetread.store.core.locks import lock_readings
from wetread.store.core.sent_together import PLAIN, say
from wetread.store.images.headers import store_headers
from wetread.store.work.item_settling import Stored, settle_items
from wetread.store.work.known_readings import known_pictures, known_readings
from wetread.store.work.leases import Claim, release
from wetread.store.work.outcomes import Outcome
from wetread.store.work.storing_readings import store_predictions
from wetread.store.work.tallies import add_tallies, tally_of

_BATCHES: Any = Batch.__table__
_RUNS: Any = Run.__table__


def settle(session: Session, held: Claim, outcomes: Sequence[Outcome]) -> None:
    """Write `outcomes` of a claimed batch: predictions, headers, items, the run's accounts.

    Everything locks in the order `SETTLING` of wetread.store.core.locks, so that two workers cannot lock each other
    out. What need not be heard goes to PostgreSQL together (core/sent_together.py): the batch is locked in the first
    message, and from the items on all goes with the COMMIT, so that no other waits for this client while it holds the
    run's row. Nothing is written where this raises LeaseLost, since the batch is another's by now, or ReadingsChanged,
    since the model decides otherwise by now. Images whose linked reading was deleted meanwhile stay pending, and the
    batch is given back for whoever reads them.
    """
    (fault,) = settle_together(session, [(held, outcomes)])
    if fault is not None:
        raise fault


Settled = tuple[Claim, Sequence[Outcome]]
"""A claimed batch, and what became of some of its images."""


def settle_together(
    session: Session, parts: Sequence[Settled], *, again: bool = False
) -> list[LeaseLost | ReadingsChanged | None]:
    """Settle batches that were read together, as `settle` does each; return what it would have raised of each.

    again: it was tried before and may be written, with its answer lost; what is written is not written twice. One that
    cannot be settled keeps no other from it.
    """
    now = utc_now()
    for digest in sorted({held.model_digest for held, _ in parts}):
        lock_readings(session, digest)
    kept: list[tuple[Claim, list[Outcome]]] = []
    faults: list[LeaseLost | ReadingsChanged | None] = []
    for held, outcomes in parts:
        try:
            if not (again and _was_settled(session, held, [one.image_id for one in outcomes])):
                _lock(session, held, outcomes)
                kept.append((held, _with_standing_links(session, held, outcomes)))
            faults.append(None)
        except (LeaseLost, ReadingsChanged) as fault:
            faults.append(fault)
    by_model = sorted(kept, key=lambda part: part[0].model_digest)
    readings = {held.batch_id: store_predictions(session, held, outcomes, now) for held, outcomes in by_model}
    headers = store_headers(session, {o.sha256: o.header for _, some in kept for o in some if o.sha256 and o.header})
    asked = {held.batch_id: len(outcomes) for held, outcomes in parts}
    for held, outcomes in kept:
        _take_from_batch(session, held, len(outcomes))
        if len(outcomes) < asked[held.batch_id]:
            release(session, replace(held, riders=()))
    for held, outcomes in by_model:
        if outcomes:
            settle_items(session, held, outcomes, Stored(readings[held.batch_id], headers), now)
    for held, outcomes in kept:
        if outcomes:
            add_tallies(session, held.run_id, tally_of(outcomes))
            _keep_accounts(session, held.run_id, Counter(outcome.state for outcome in outcomes), now)
    return faults


def _was_settled(session: Session, held: Claim, image_ids: Sequence[int]) -> bool:
    """Return whether a transaction of ours has settled these images of a batch: what it settled it did at once.

    It may still be going on, in a connection that was cut: its end is waited for by way of the batch's lock.
    """
    session.execute(select(Batch.id).where(Batch.id == held.batch_id).with_for_update())
    query = select(WorkItem.image_id).where(
        WorkItem.run_id == held.run_id, WorkItem.image_id.in_(image_ids),
        WorkItem.state != ItemState.PENDING, WorkItem.worker == held.owner,
    )  # fmt: skip
    return session.scalar(query.limit(1)) is not None


def _lock(session: Session, held: Claim, outcomes: Sequence[Outcome]) -> None:
    """Lock the batch; raise ReadingsChanged where the model decides otherwise by now, or else LeaseLost."""
    ours = Batch.id == held.batch_id, Batch.owner == held.owner, Batch.fence == held.fence
    locked = select(Batch.id).where(*ours).with_for_update().cte("locked")
    query = select(Model.decision_digest, select(locked.c.id).exists()).where(Model.digest == held.model_digest)
    row = session.execute(query, execution_options=PLAIN).first()
    in_force, is_ours = (None, False) if row is None else row
    used = {outcome.prediction.decision_digest for outcome in outcomes if outcome.prediction is not None}
    if used | {held.decision_digest} != {in_force}:
        raise ReadingsChanged(
            f"batch {held.batch_id}: expected decision {held.decision_digest[:12]} in force, found another; it is read "
            "again"
        )
    if not is_ours:
        raise LeaseLost(f"batch {held.batch_id}: expected to hold its lease, found another owner; nothing was written")


def _with_standing_links(session: Session, held: Claim, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return `outcomes` with their links as they are now, without those whose reading was deleted since."""
    linked = [outcome for outcome in outcomes if outcome.linked is not None]
    if not linked:
        return list(outcomes)
    by_bytes = [one.sha256 for one in linked if one.shown is None and one.sha256 is not None]
    by_shown = [one.shown for one in linked if one.shown is not None]
    now = known_readings(session, by_bytes, held.model_digest) if by_bytes else {}
    now |= known_pictures(session, by_shown, held.model_digest) if by_shown else {}
    return [
        outcome if outcome.linked is None else replace(outcome, linked=now[outcome.shown or outcome.sha256 or ""])
        for outcome in outcomes
        if outcome.linked is None or (outcome.shown or outcome.sha256) in now
    ]


def _take_from_batch(session: Session, held: Claim, settled: int) -> None:
    """Take what is settled from the batch, which is locked and ours; with the last of it the lease ends."""
    of = _BATCHES.c
    last = of.pending == settled
    taken = update(_BATCHES).where(of.id == held.batch_id)
    values = {name: case((last, None), else_=of[name]) for name in ("owner", "lease_until")}
    say(session, taken.values(pending=of.pending - settled, **values))


def _keep_accounts(session: Session, run_id: int, counts: Counter[ItemState], now: datetime) -> None:
    settled, of = sum(counts.values()), _RUNS.c
    finishes = (of.pending == settled) & of.walked_at.is_not(None) & (of.state == RunState.RUNNING)
    accounts = {
        "pending": of.pending - settled,
        "untouched": 0,
        "done": of.done + counts[ItemState.DONE],
        "rejected": of.rejected + counts[ItemState.REJECTED],
        "dead": of.dead + counts[ItemState.DEAD],
        "state": case((finishes, literal(RunState.FINISHED, String)), else_=of.state),
        "ended_at": case((finishes, literal(now, UtcDateTime)), else_=of.ended_at),
    }
    say(session, update(_RUNS).where(of.id == run_id).values(accounts))
