"""Chooses the next batch while the current one is read, so that its first files are read ahead.

Choosing claims nothing: another process may take the batch first, and then what was read of it is dropped.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress

from schemas.errors import ServiceUnavailable
from wetread.store.core.database import Database
from wetread.store.work.leases import ClaimedItem, next_batches, pending_items, running_of

AMONG = 64
"""The next batch is chosen at random among so many waiting ones, so that two workers rarely choose the same."""


class NextBatch:
    """Chooses the next batch of one process.

    run_ids: the runs that it reads, by falling priority.
    """

    def __init__(self, database: Database, run_ids: Sequence[int]) -> None:
        self._database = database
        self._run_ids = run_ids
        self._chosen: int | None = None

    def choose(self) -> Sequence[ClaimedItem]:
        """Choose the next batch and return its images; empty when no batch waits or the database is away."""
        self._chosen = None
        with suppress(ServiceUnavailable), self._database.reading() as session:  # `take` raises it
            if waiting := next_batches(session, running_of(session, self._run_ids), AMONG):
                self._chosen = random.choice(waiting)  # noqa: S311 - no secret
                return pending_items(session, self._chosen)
        return ()

    def take(self) -> tuple[int | None, bool]:
        """Return the chosen batch, or else the oldest waiting one, and whether any of the runs is running.

        Raises ServiceUnavailable when the database does not answer.
        """
        chosen, self._chosen = self._chosen, None
        with self._database.reading() as session:
            running = running_of(session, self._run_ids)
            if chosen is not None and running:
                return chosen, True
            waiting = next_batches(session, running, 1)
        return (waiting[0] if waiting else None), bool(running)
