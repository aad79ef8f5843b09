"""Chooses the batch that a Celery process takes for a message, so that its first files are read ahead.

A message is a call to take one batch that waits; the one that it names is a hint. While a process reads a batch, it
chooses another of the same run that was rung for, and its first files are read meanwhile. The next call of that run
takes the chosen one. Whoever gets the message that named the chosen one finds it taken, and takes another of that run:
there are as many calls as batches. Nothing is claimed before it is worked on: a process that ends or dies holds one
batch, no other waits for it, and no death is counted on films that were only read early.
"""

from __future__ import annotations

import random
from collections.abc import Container, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from schemas.errors import ServiceUnavailable
from wetread.store.core.database import Database
from wetread.store.work.leases import ClaimedItem, pending_items
from wetread.store.work.ringing import rung_batches
from worker.dead_workers import free_what_the_dead_hold
from worker.next_batch import AMONG

if TYPE_CHECKING:
    from worker.batch import BatchWorker, Ending


class CalledBatch:
    """What one process takes of the batches that were rung for."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._chosen: int | None = None
        self._waited: frozenset[int] = frozenset()

    def choose(self, beside: int) -> Sequence[ClaimedItem]:
        """Choose the batch to be taken next, of the run of `beside`, and return its images; none where none waits."""
        self._chosen, self._waited = None, frozenset()
        with suppress(ServiceUnavailable), self._database.reading() as session:  # who takes a batch is told
            if waiting := rung_batches(session, AMONG, beside=beside):
                self._chosen, self._waited = random.choice(waiting), frozenset(waiting)  # noqa: S311 - no secret
                return pending_items(session, self._chosen)
        return ()

    def take(self, named: int) -> int:
        """Return the batch to be taken at a call that names one: what was chosen, where the two are of one run.

        Other runs' calls are theirs, or a run that came first would keep all others waiting.
        """
        return (self._chosen_one() or named) if named in self._waited else named

    def another(self, named: int, tried: Container[int]) -> int | None:
        """Return a batch that was rung for and waits, in place of one that is taken; None where none does.

        It is of the same run where one of that run waits, and the one whose first files are there already if it can be.
        """
        with self._database.reading() as session:
            waiting = rung_batches(session, AMONG, beside=named) or rung_batches(session, AMONG)
        left = [batch_id for batch_id in waiting if batch_id not in tried]
        if self._chosen in left:
            return self._chosen_one()
        return random.choice(left) if left else None  # noqa: S311 - no secret

    def _chosen_one(self) -> int | None:
        chosen = self._chosen
        self._chosen, self._waited = None, frozenset()
        return chosen


def answer_call(worker: BatchWorker, batches: CalledBatch, named: int) -> None:
    """Read the batch that a message calls for, or another that waits where that is taken or settled."""
    from worker.batch import Ending

    def read(batch_id: int) -> Ending:
        return worker.process_batch(batch_id, lambda: batches.choose(beside=batch_id))

    first = batches.take(named)
    if read(first) != Ending.NOT_FREE or (first != named and read(named) != Ending.NOT_FREE):
        return
    tried = {first, named}
    while (another := batches.another(named, tried)) is not None:
        tried.add(another)
        # One that this worker cannot read is left to the others, and uses up no call of those that it can.
        if read(another) not in (Ending.NOT_FREE, Ending.NO_MODEL):
            return
    # The message may have come back from a process that died with it in hand.
    if free_what_the_dead_hold(worker.database) and read(named) != Ending.NOT_FREE:
        return
    worker.files.forget()
