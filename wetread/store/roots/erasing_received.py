"""Erases received films' instances and senders with their images."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from schemas.states import ReceivedState
from schemas.tables import Image, Received, ReceivedAccount
from wetread.store.images.places import known_roots
from wetread.store.received.received_films import add_to_account

_NAMED_BY_DIGEST = re.compile(rb"[0-9a-f]{2}/([0-9a-f]{64})\.dcm")


@dataclass(frozen=True, slots=True)
class ForgottenFilms:
    """Rows that were locked. ids: theirs; counts: {spool's root: what its accounts lose}."""

    ids: Sequence[int]
    counts: dict[int, Counter[str]]


def lock_received_films(session: Session, image_ids: Sequence[int]) -> ForgottenFilms:
    """Lock the rows of received films that these images are.

    Before the rows of runs, as whoever takes films into a run does. An image is told by its place in a spool: a copy
    of a film elsewhere is not what was received.
    """
    spools = known_roots(session, session.scalars(select(ReceivedAccount.root_id)))
    if not spools:
        return ForgottenFilms([], {})
    placed: set[tuple[int, bytes]] = set()
    for home, path in session.execute(select(Image.root_id, Image.path).where(Image.id.in_(image_ids))):
        places = [spool for spool in spools if home == spool.place.home and path.startswith(spool.place.inside)]
        placed |= {(spool.id, path.removeprefix(spool.place.inside)) for spool in places}
    digests = {found[1].decode() for _, path in placed if (found := _NAMED_BY_DIGEST.fullmatch(path))}
    if not digests:
        return ForgottenFilms([], {})
    columns = Received.id, Received.root_id, Received.path, Received.state, Received.conflict, Received.copies
    query = select(*columns).where(Received.sha256.in_(sorted(digests))).order_by(Received.id).with_for_update()
    counts: dict[int, Counter[str]] = {}
    ids = []
    for number, root, kept_at, state, conflict, copies in session.execute(query):
        if (root, kept_at) not in placed:
            continue
        ids.append(number)
        lost = counts.setdefault(root, Counter())
        lost.subtract({"received": 1, "conflicts": int(conflict), "copies": copies})
        lost.subtract({"taken" if state == ReceivedState.TAKEN else "waiting": 1})
    return ForgottenFilms(ids, counts)


def delete_received_films(session: Session, films: ForgottenFilms) -> None:
    """Delete rows that were locked, at a transaction's end: their spools' accounts are the last that it locks."""
    if films.ids:
        session.execute(delete(Received).where(Received.id.in_(films.ids)))
    for root, lost in sorted(films.counts.items()):
        add_to_account(session, root, lost)
