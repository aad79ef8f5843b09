"""Batches that the database may have given us, or counted a death on, without our knowing.

So it is after a claim, a settlement or a release without an answer, and after a lease that another took. We live, and
work on none of them: they are given back as not tried, and what was counted is taken back, before another is claimed;
where no other comes, by the thread of the heartbeat.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wetread.store.core.database import Database
from wetread.store.work.doubts import disown


class InDoubt:
    """Those of one process, which works on one batch at a time."""

    def __init__(self) -> None:
        self._batches: set[int] = set()
        self._working = threading.Lock()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Keep the other thread off until the block ends: what is in hand is in no doubt."""
        with self._working:
            yield

    def add(self, batch_id: int) -> None:
        """Note that we may hold this batch, and work on it no more."""
        self._batches.add(batch_id)

    def clear(self, database: Database, owner: str) -> None:
        """Give them back; by the thread that works. Raises ServiceUnavailable, and then they stay in doubt."""
        if self._batches:
            with database.writing() as session:
                disown(session, sorted(self._batches), owner)
            self._batches.clear()

    def clear_if_idle(self, database: Database, owner: str, idle: Callable[[], None] = lambda: None) -> None:
        """Give them back, by another thread, unless a batch is in hand; whoever takes the next one does it first.

        idle: called too, while none is in hand.
        """
        if self._working.acquire(blocking=False):
            try:
                idle()
                self.clear(database, owner)
            finally:
                self._working.release()
