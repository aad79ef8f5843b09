"""Settles a batch's items: each image's state, and which of its readings is the current one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Text, bindparam, cast, column, func, select, update
from sqlalchemy.orm import Session

from schemas.films import Accepted
from schemas.reasons import WORLD_REASONS
from schemas.states import ItemState
from schemas.tables import Run, WorkItem
from wetread.store.core.sent_together import PLAIN, say
from wetread.store.images.unchanged import rules_of
from wetread.store.work.leases import Claim
from wetread.store.work.outcomes import Outcome
from wetread.version import program_version

_ITEMS: Any = WorkItem.__table__
_RUNS: Any = Run.__table__


@dataclass(frozen=True, slots=True)
class Stored:
    """Ids of what was stored before the items that name it, by the SHA-256 of their bytes."""

    readings: dict[str, int]
    headers: dict[str, int]


def settle_items(session: Session, held: Claim, outcomes: Sequence[Outcome], stored: Stored, now: datetime) -> None:
    """Write what became of a batch's images to its items, and that earlier readings of them are not current now."""
    of = _ITEMS.c
    _lock_items(session, held, outcomes)
    keep_older = _images_that_keep_an_older_reading(session, held, outcomes)
    fresh = [outcome.image_id for outcome in outcomes if outcome.image_id not in keep_older]
    earlier = (of.image_id.in_(fresh), of.model_digest == held.model_digest, of.current, of.run_id != held.run_id)
    say(session, update(_ITEMS).where(*earlier).values(current=False))
    rows = [_item_row(one, stored, keep_older, held.accepted) for one in outcomes]
    pending = update(_ITEMS).where(of.run_id == held.run_id, of.state == ItemState.PENDING)
    pending = pending.values(worker=held.owner, settled_at=now)
    if session.get_bind().dialect.name == "postgresql":
        given = _as_records(rows)
        others = {name: given.c[name] for name in rows[0] if name != "key"}
        say(session, pending.where(of.image_id == given.c.key).values(others))
    else:
        say(session, pending.where(of.image_id == bindparam("key")), rows)


def _as_records(rows: Sequence[dict[str, object]]) -> Any:
    """Return the rows as something that one statement joins: a statement a row costs the server three times as much."""
    columns = [column("key", BigInteger), *(column(name, _ITEMS.c[name].type) for name in rows[0] if name != "key")]
    records = func.json_to_recordset(cast(bindparam(None, json.dumps(rows), Text), JSON))
    return records.table_valued(*columns, name="given").render_derived(with_types=True)


def _lock_items(session: Session, held: Claim, outcomes: Sequence[Outcome]) -> None:
    """Lock the images' items in every run that has some left, so that two runs do not both become the current one."""
    unsettled = select(_RUNS.c.id).where(_RUNS.c.model_digest == held.model_digest, _RUNS.c.pending > 0)
    images = [outcome.image_id for outcome in outcomes]
    say(
        session,
        select(_ITEMS.c.run_id)
        .where(_ITEMS.c.run_id.in_(unsettled), _ITEMS.c.image_id.in_(images))
        .order_by(_ITEMS.c.image_id, _ITEMS.c.run_id)
        .with_for_update(of=_ITEMS),
    )


def _item_row(outcome: Outcome, stored: Stored, keep_older: set[int], accepted: Accepted) -> dict[str, object]:
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
    return set(session.scalars(query, execution_options=PLAIN))
