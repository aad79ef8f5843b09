"""Settling: what a worker found out about its images, written in one fenced transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import String, bindparam, case, literal, select, update
from sqlalchemy.orm import Session

from schemas.errors import LeaseLost, ReadingsChanged
from schemas.films import Accepted, FilmHeader
from schemas.predictions import Prediction
from schemas.states import WORLD_REASONS, ItemState, Reason, RunState
from schemas.table_base import UtcDateTime
from schemas.tables import Batch, Model, Run, StoredPrediction, WorkItem
from wetread.clock import utc_now
from wetread.program import program_version
from wetread.store.headers import store_headers
from wetread.store.leases import Claim, release
from wetread.store.ordering import lock_readings
from wetread.store.prediction_rows import prediction_row
from wetread.store.rejections import rules_of
from wetread.store.repeatable import was_settled
from wetread.store.tallies import add_tallies, tally_of
from wetread.store.upsert import insert_for


@dataclass(frozen=True, slots=True)
class LinkedReading:
    """A reading that is in the database already."""

    prediction_id: int
    label: str
    decision: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one image.

    prediction: a new reading; None for a link, a rejection, a death.
    linked: the id and label of a reading that these bytes have already.
    header: what is kept of a DICOM file's header, whatever became of the image.
    word: of our own lists, by which a DICOM film was set aside.
    """

    image_id: int
    state: ItemState
    reason: Reason | None = None
    detail: str | None = None
    sha256: str | None = None
    size: int | None = None
    mtime_ns: int | None = None
    prediction: Prediction | None = None
    linked: LinkedReading | None = None
    header: FilmHeader | None = None
    word: str | None = None


@dataclass(frozen=True, slots=True)
class _Stored:
    """Ids of what was stored before the items that name it, by the SHA-256 of their bytes."""

    readings: dict[str, int]
    headers: dict[str, int]


def known_readings(
    session: Session, sha256s: Sequence[str], model_digest: str, *, of_run: int | None = None
) -> dict[str, LinkedReading]:
    """Return {sha256: reading} for the bytes that this model has read, or read in the run `of_run`."""
    query = select(
        StoredPrediction.sha256, StoredPrediction.id, StoredPrediction.label, StoredPrediction.decision
    ).where(StoredPrediction.sha256.in_(sha256s), StoredPrediction.model_digest == model_digest)
    if of_run is not None:
        query = query.where(StoredPrediction.run_id == of_run)
    return {sha256: LinkedReading(number, label, said) for sha256, number, label, said in session.execute(query)}


def settle(session: Session, held: Claim, outcomes: Sequence[Outcome]) -> None:
    """Write `outcomes` of a claimed batch: predictions, headers, items, the run's accounts.

    Everything locks in the same order, the model's readings, batch, predictions, headers, items, run, so that two
    workers cannot lock each other out. Nothing is written where this raises LeaseLost, since the batch is another's
    by now, or ReadingsChanged, since the model decides otherwise by now. Images whose linked reading was deleted
    meanwhile stay pending, and the batch is given back for whoever reads them.
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
    cannot be settled keeps no other from it. Between two batches everything locks in one order too: the
    models' readings, predictions and items by digest, batches and runs with the shadowed one first.
    """
    now = utc_now()
    for digest in sorted({held.model_digest for held, _ in parts}):
        lock_readings(session, digest)
    kept: list[tuple[Claim, list[Outcome]]] = []
    faults: list[LeaseLost | ReadingsChanged | None] = []
    for held, outcomes in parts:
        try:
            written = again and was_settled(session, held, [one.image_id for one in outcomes])
            kept.append((held, [] if written else _taken(session, held, outcomes)))
            faults.append(None)
        except (LeaseLost, ReadingsChanged) as fault:
            faults.append(fault)
    kept = [(held, outcomes) for held, outcomes in kept if outcomes]
    by_model = sorted(kept, key=lambda part: part[0].model_digest)
    readings = {held.batch_id: _store_predictions(session, held, outcomes, now) for held, outcomes in by_model}
    headers = store_headers(session, {o.sha256: o.header for _, some in kept for o in some if o.sha256 and o.header})
    for held, outcomes in by_model:
        _settle_items(session, held, outcomes, _Stored(readings[held.batch_id], headers), now)
    for held, outcomes in kept:
        add_tallies(session, held.run_id, tally_of(outcomes))
        _keep_accounts(session, held.run_id, Counter(outcome.state for outcome in outcomes), now)
    return faults


def _taken(session: Session, held: Claim, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return those of `outcomes` that stand, taken from the batch's pending; raise with nothing written."""
    _check_decision(session, held, outcomes)
    standing = _with_standing_links(session, held, outcomes)
    _take_from_batch(session, held, len(standing))
    if len(standing) < len(outcomes):
        release(session, replace(held, riders=()))
    return standing


def _with_standing_links(session: Session, held: Claim, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return `outcomes` with their links as they are now, without those whose reading was deleted since."""
    linked = [outcome.sha256 for outcome in outcomes if outcome.linked is not None and outcome.sha256 is not None]
    if not linked:
        return list(outcomes)
    now = known_readings(session, linked, held.model_digest)
    return [
        outcome if outcome.linked is None else replace(outcome, linked=now[outcome.sha256 or ""])
        for outcome in outcomes
        if outcome.linked is None or outcome.sha256 in now
    ]


def _check_decision(session: Session, held: Claim, outcomes: Sequence[Outcome]) -> None:
    in_force = session.scalar(select(Model.decision_digest).where(Model.digest == held.model_digest))
    used = {outcome.prediction.decision_digest for outcome in outcomes if outcome.prediction is not None}
    if used | {held.decision_digest} != {in_force}:
        raise ReadingsChanged(
            f"batch {held.batch_id}: expected decision {held.decision_digest[:12]} in force, found another; it is read "
            "again"
        )


def _take_from_batch(session: Session, held: Claim, settled: int) -> None:
    last = Batch.pending == settled
    changed = session.execute(
        update(Batch)
        .where(Batch.id == held.batch_id, Batch.owner == held.owner, Batch.fence == held.fence)
        .values(
            pending=Batch.pending - settled,
            owner=case((last, None), else_=Batch.owner),
            lease_until=case((last, None), else_=Batch.lease_until),
        )
        .returning(Batch.id)
        .execution_options(synchronize_session=False)
    )
    if changed.first() is None:
        raise LeaseLost(f"batch {held.batch_id}: expected to hold its lease, found another owner; nothing was written")


def _store_predictions(session: Session, held: Claim, outcomes: Sequence[Outcome], now: datetime) -> dict[str, int]:
    """Return {sha256: prediction id}, having stored the new ones; only a forced run replaces what is there."""
    new = {o.prediction.sha256: o.prediction for o in outcomes if o.prediction is not None}
    if not new:
        return {}
    rows = [prediction_row(new[sha256], held.run_id, now) for sha256 in sorted(new)]
    statement = insert_for(session)(StoredPrediction)
    key = [StoredPrediction.sha256, StoredPrediction.model_digest]
    if held.force:
        replaced = {name: statement.excluded[name] for name in rows[0] if name not in ("sha256", "model_digest")}
        session.execute(statement.on_conflict_do_update(index_elements=key, set_=replaced), rows)
    else:
        session.execute(statement.on_conflict_do_nothing(index_elements=key), rows)
    return {
        sha256: reading.prediction_id
        for sha256, reading in known_readings(session, list(new), held.model_digest).items()
    }


def _settle_items(session: Session, held: Claim, outcomes: Sequence[Outcome], stored: _Stored, now: datetime) -> None:
    _lock_items(session, held, outcomes)
    keep_older = _images_that_keep_an_older_reading(session, held, outcomes)
    fresh = [outcome.image_id for outcome in outcomes if outcome.image_id not in keep_older]
    session.execute(
        update(WorkItem)
        .where(
            WorkItem.image_id.in_(fresh),
            WorkItem.model_digest == held.model_digest,
            WorkItem.current,
            WorkItem.run_id != held.run_id,
        )
        .values(current=False)
        .execution_options(synchronize_session=False)
    )
    table: Any = WorkItem.__table__
    statement = (
        update(table)
        .where(table.c.run_id == held.run_id, table.c.image_id == bindparam("key"), table.c.state == ItemState.PENDING)
        .values(worker=held.owner, settled_at=now)
    )
    session.connection().execute(statement, [_item_row(one, stored, keep_older, held.accepted) for one in outcomes])


def _lock_items(session: Session, held: Claim, outcomes: Sequence[Outcome]) -> None:
    """Lock the images' items in every run that has some left, so that two runs do not both become the current one."""
    unsettled = select(Run.id).where(Run.model_digest == held.model_digest, Run.pending > 0)
    images = [outcome.image_id for outcome in outcomes]
    session.execute(
        select(WorkItem.run_id)
        .where(WorkItem.run_id.in_(unsettled), WorkItem.image_id.in_(images))
        .order_by(WorkItem.image_id, WorkItem.run_id)
        .with_for_update(of=WorkItem)
    ).all()


def _item_row(outcome: Outcome, stored: _Stored, keep_older: set[int], accepted: Accepted) -> dict[str, object]:
    if outcome.linked is not None:
        prediction_id: int | None = outcome.linked.prediction_id
    else:
        prediction_id = None if outcome.prediction is None else stored.readings[outcome.prediction.sha256]
    return {
        "key": outcome.image_id,
        "state": outcome.state,
        "reason": outcome.reason,
        "detail": outcome.detail,
        "word": outcome.word,
        "rules": rules_of(outcome.state, outcome.reason, accepted),
        "sha256": outcome.sha256,
        "size": outcome.size,
        "mtime_ns": outcome.mtime_ns,
        "program": program_version() if outcome.state == ItemState.DEAD else None,
        "oom_kills": None,
        "prediction_id": prediction_id,
        "header_id": None if outcome.sha256 is None else stored.headers.get(outcome.sha256),
        "current": outcome.image_id not in keep_older,
    }


def _images_that_keep_an_older_reading(session: Session, held: Claim, outcomes: Sequence[Outcome]) -> set[int]:
    """Return images that could not be reached now but were read before: that reading stays the current one."""
    unreached = [outcome.image_id for outcome in outcomes if outcome.reason in WORLD_REASONS]
    if not unreached:
        return set()
    query = select(WorkItem.image_id).where(
        WorkItem.image_id.in_(unreached),
        WorkItem.model_digest == held.model_digest,
        WorkItem.current,
        WorkItem.state == ItemState.DONE,
    )
    return set(session.scalars(query))


def _keep_accounts(session: Session, run_id: int, counts: Counter[ItemState], now: datetime) -> None:
    settled = sum(counts.values())
    finishes = (Run.pending == settled) & Run.walked_at.is_not(None) & (Run.state == RunState.RUNNING)
    session.execute(
        update(Run)
        .where(Run.id == run_id)
        .values(
            pending=Run.pending - settled,
            untouched=0,
            done=Run.done + counts[ItemState.DONE],
            rejected=Run.rejected + counts[ItemState.REJECTED],
            dead=Run.dead + counts[ItemState.DEAD],
            state=case((finishes, literal(RunState.FINISHED, String)), else_=Run.state),
            ended_at=case((finishes, literal(now, UtcDateTime)), else_=Run.ended_at),
        )
        .execution_options(synchronize_session=False)
    )
