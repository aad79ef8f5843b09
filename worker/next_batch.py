"""Chooses the next batch while the current one is read, so that its first files are read ahead.

Nothing is claimed by that: another process may take the batch first, and what was read of it is dropped.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress

from schemas.errors import ServiceUnavailable
from wetread.store.core.database import Database
from wetread.store.work.leases import ClaimedItem, next_batches, pending_items, running_of

AMONG = 64
"""Waiting batches of which one is chosen at random: with more of them, two workers rarely choose the same."""


class NextBatch:
    """What one process takes of its runs; of two, the first in `run_ids` comes before the other."""

    def __init__(self, database: Database, run_ids: Sequence[int]) -> None:
        self._database = database
        self._run_ids = run_ids
        self._chosen: int | None = None

    def choose(self) -> Sequence[ClaimedItem]:
        """Choose the batch to be taken next and return its images; none where none waits or none can be asked for."""
        self._chosen = None
        with suppress(ServiceUnavailable), self._database.reading() as session:  # who takes a batch is told
            if waiting := next_batches(session, running_of(session, self._run_ids), AMONG):
                self._chosen = random.choice(waiting)  # noqa: S311 - no secret
                return pending_items(session, self._chosen)
        return ()

    def take(self) -> tuple[int | None, bool]:
        """Return the batch that was chosen, or else the oldest that waits, and whether a run is running at all.

        Raises ServiceUnavailable when the database does not answer.
        """
        chosen, self._chosen = self._chosen, None
        with self._database.reading() as session:
            running = running_of(session, self._run_ids)
            if chosen is not None and running:
                return chosen, True
            waiting = next_batches(session, running, 1)
        return (waiting[0] if waiting else None), bool(running)
