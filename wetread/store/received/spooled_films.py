"""Which films of a spool nobody needs any more: read, old enough, and with no delivery that is yet to end."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.states import DeliveryState, ItemState, ReceivedState
from schemas.tables import Delivery, Image, Received, WorkItem
from wetread.store.images.places import known_roots

_ENDED = (DeliveryState.COMMITTED, DeliveryState.CANCELLED)
"""One that failed may be tried again, for which the film has to be there."""


@dataclass(frozen=True, slots=True)
class OldFilm:
    """A film of a spool. needed: by whom it is needed yet; None by nobody."""

    id: int
    path: bytes
    needed: str | None


def old_films(session: Session, root_id: int, before: datetime, after: int, most: int) -> list[OldFilm]:
    """Return the films of a spool that were received before a time, by id from beyond `after`."""
    delivering = select(Delivery.id).where(Delivery.received_id == Received.id, Delivery.state.not_in(_ENDED)).exists()
    query = (
        select(Received.id, Received.path, Received.state, delivering)
        .where(Received.root_id == root_id, Received.path.is_not(None), Received.received_at < before)
        .where(Received.id > after)
        .order_by(Received.id)
        .limit(most)
    )
    rows = [(number, path or b"", state, sending) for number, path, state, sending in session.execute(query)]
    unread = _unread(session, root_id, [path for _, path, _, _ in rows])
    found = []
    for number, path, state, sending in rows:
        waits = state != ReceivedState.TAKEN or path in unread
        found.append(OldFilm(number, path, "reading" if waits else "a delivery" if sending else None))
    return found


def _unread(session: Session, root_id: int, paths: Sequence[bytes]) -> set[bytes]:
    """Return those of the paths whose image some run is yet to read."""
    (root,) = known_roots(session, [root_id])
    named = {hashlib.sha256(root.place.inside + path).digest(): path for path in paths}
    query = (
        select(Image.path_hash)
        .join(WorkItem, WorkItem.image_id == Image.id)
        .where(Image.root_id == root.place.home, Image.path_hash.in_(named), WorkItem.state == ItemState.PENDING)
    )
    return {named[found] for found in session.scalars(query) if found is not None}
