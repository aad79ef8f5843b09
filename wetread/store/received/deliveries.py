"""Stores deliveries: readings that go back to a peer as reports, each once, and their states."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Row, Select, func, or_, select, update
from sqlalchemy.orm import Session

from schemas.states import DeliveryState
from schemas.tables import Delivery, Model, Received, Root, SamePicture, StoredPrediction
from wetread.clock import utc_now
from wetread.store.core.upsert import insert_for
from wetread.store.received.peers import check_asked_for

_AT_ONCE = 500
_OVER = (DeliveryState.COMMITTED, DeliveryState.FAILED, DeliveryState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading of a received film. root, path: where its file lies; values: {label: probability}."""

    received_id: int
    prediction_id: int
    root: bytes
    path: bytes
    instance_uid: str
    class_uid: str
    sha256: str
    model: str
    model_digest: str
    decision_digest: str
    engine: str
    decision: str
    values: dict[str, float]
    read_at: datetime


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery, and the instance of its film."""

    id: int
    peer: str
    instance_uid: str
    report_uid: str
    predecessor_uid: str | None
    decision: str
    state: DeliveryState
    attempts: int
    why: str | None
    created_at: datetime
    settled_at: datetime | None
    received_id: int
    prediction_id: int


@dataclass(frozen=True, slots=True)
class Wish:
    """Which readings: of one model, with these decisions (none: all), made since then (None: ever)."""

    model_digest: str
    decisions: Collection[str] = ()
    since: datetime | None = None


def readings(session: Session, wish: Wish) -> Iterator[Reading]:
    """Yield the readings of received films that are wished for, in the order of the films."""
    wished = [StoredPrediction.model_digest == wish.model_digest]
    if wish.decisions:
        wished.append(StoredPrediction.decision.in_(wish.decisions))
    if wish.since is not None:
        # A film that came since may have the reading of a file that shows the same, and was read before.
        wished.append(or_(StoredPrediction.read_at >= wish.since, Received.received_at >= wish.since))
    after = 0
    while rows := _page(session, [*wished, Received.id > after]):
        yield from map(_reading, rows)
        after = rows[-1][0].id


def reading_of(session: Session, delivery: DeliveryRow) -> Reading | None:
    """Return the reading of a delivery as it is now; None where film or reading are deleted."""
    rows = _page(session, [Received.id == delivery.received_id, StoredPrediction.id == delivery.prediction_id])
    return _reading(rows[0]) if rows else None


def write_deliveries(session: Session, peer: str, found: Sequence[Reading], uid_of: Callable[[Reading], str]) -> int:
    """Record the deliveries to send that are not recorded yet; return how many. A newer one cancels a pending one."""
    new = 0
    for reading in found:
        uid = uid_of(reading)
        before = session.execute(
            select(Delivery.id, Delivery.report_uid, Delivery.state, Delivery.attempts)
            .where(Delivery.peer == peer, Delivery.received_id == reading.received_id)
            .where(Delivery.prediction_id == reading.prediction_id)
            .order_by(Delivery.id.desc())
        ).all()  # fmt: skip
        if any(row.report_uid == uid for row in before):
            continue
        sent = next((row.report_uid for row in before if row.attempts), None)
        values = {
            "peer": peer, "received_id": reading.received_id, "prediction_id": reading.prediction_id,
            "report_uid": uid, "predecessor_uid": sent, "decision": reading.decision,
            "state": DeliveryState.PENDING, "created_at": utc_now(),
        }  # fmt: skip
        added = insert_for(session)(Delivery).values(values).on_conflict_do_nothing().returning(Delivery.id)
        if session.scalar(added) is None:
            continue
        new += 1
        for row in before:
            if row.state == DeliveryState.PENDING and not row.attempts:
                settle_delivery(session, row.id, DeliveryState.CANCELLED, "the reading has changed")
    return new


def pending_deliveries(session: Session, peer: str, after: int, most: int) -> list[DeliveryRow]:
    """Return what is to be sent, or was sent and is not known to be kept, from beyond the row `after`."""
    unsettled = Delivery.state.in_((DeliveryState.PENDING, DeliveryState.SENT))
    query = _rows().where(Delivery.peer == peer, unsettled, Delivery.id > after).order_by(Delivery.id).limit(most)
    return [_row(row) for row in session.execute(query)]


def list_deliveries(session: Session, peer: str | None, state: str | None, *, limit: int = 50) -> list[DeliveryRow]:
    """Return deliveries, the newest first; raise UsageError for a peer that never was."""
    query = _rows().order_by(Delivery.id.desc()).limit(limit)
    if peer is not None:
        check_asked_for(session, peer, Delivery.peer)
        query = query.where(Delivery.peer == peer)
    if state is not None:
        query = query.where(Delivery.state == state)
    return [_row(row) for row in session.execute(query)]


def count_deliveries(session: Session, peer: str | None = None) -> dict[str, int]:
    """Return {state: deliveries}, of all peers or of one; each state is there."""
    query = select(Delivery.state, func.count()).group_by(Delivery.state)
    if peer is not None:
        query = query.where(Delivery.peer == peer)
    found = {str(state): int(count) for state, count in session.execute(query)}
    return {str(state): found.get(state, 0) for state in DeliveryState}


def begin_attempt(session: Session, number: int) -> None:
    """Count an attempt, before anything is sent: whoever finds it without an answer asks the peer first."""
    session.execute(update(Delivery).where(Delivery.id == number).values(attempts=Delivery.attempts + 1))


def settle_delivery(session: Session, number: int, state: DeliveryState, why: str | None = None) -> None:
    """Say where a delivery stands."""
    at = utc_now() if state in _OVER else None
    said = None if why is None else why[:200]
    session.execute(update(Delivery).where(Delivery.id == number).values(state=state, why=said, settled_at=at))


def change_all(
    session: Session, peer: str, states: Collection[DeliveryState], to: DeliveryState, why: str | None
) -> int:
    """Change a peer's deliveries of some states; return how many. Raises UsageError for a peer that never was."""
    check_asked_for(session, peer, Delivery.peer)
    query = select(Delivery.id).where(Delivery.peer == peer, Delivery.state.in_(states)).order_by(Delivery.id)
    numbers = list(session.scalars(query.with_for_update()))
    for number in numbers:
        settle_delivery(session, number, to, why)
    return len(numbers)


def _page(
    session: Session, wished: Sequence[ColumnElement[bool]]
) -> list[Row[Received, StoredPrediction, Model, bytes]]:
    """Return the first readings that are wished for, in the order of the films, as many as are asked for at once.

    Those of a film's own bytes, and those of others that show the same.
    """
    own = _readings().join(StoredPrediction, StoredPrediction.sha256 == Received.sha256)
    same = _readings().join(SamePicture, SamePicture.sha256 == Received.sha256)
    same = same.join(StoredPrediction, StoredPrediction.id == SamePicture.prediction_id)
    found: dict[tuple[int, int], Row[Received, StoredPrediction, Model, bytes]] = {}
    for query in (own, same):
        query = query.join(Model, Model.digest == StoredPrediction.model_digest).where(*wished)
        rows = session.execute(query.order_by(Received.id).limit(_AT_ONCE))
        found |= {(row[0].id, row[1].id): row for row in rows}
    return [found[key] for key in sorted(found)[:_AT_ONCE]]


def _readings() -> Select[Received, StoredPrediction, Model, bytes]:
    return (
        select(Received, StoredPrediction, Model, Root.path)
        .select_from(Received)
        .join(Root, Root.id == Received.root_id)
        .where(Received.path.is_not(None))
    )


def _reading(row: Row[Received, StoredPrediction, Model, bytes]) -> Reading:
    film, found, model, root = row
    return Reading(
        film.id, found.id, root, film.path or b"", film.sop_instance_uid, film.sop_class_uid, film.sha256,
        f"{model.name}@{model.version}", model.digest, found.decision_digest, found.engine, found.decision,
        dict(zip(model.labels, found.probabilities, strict=True)), found.read_at,
    )  # fmt: skip


def _rows() -> Select[Delivery, str]:
    return select(Delivery, Received.sop_instance_uid).join(Received, Received.id == Delivery.received_id)


def _row(row: Row[Delivery, str]) -> DeliveryRow:
    found, instance = row
    return DeliveryRow(
        found.id, found.peer, instance, found.report_uid, found.predecessor_uid, found.decision,
        DeliveryState(found.state), found.attempts, found.why, found.created_at, found.settled_at, found.received_id,
        found.prediction_id,
    )  # fmt: skip
