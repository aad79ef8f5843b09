"""Shares a fixed number of worker processes evenly among several pools of one process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class CoreShare:
    """What one pool may use of the cores."""

    def __init__(self, cores: Cores) -> None:
        self._cores = cores
        self.living = 0

    def room(self, living: int) -> int:
        """Return how many processes the pool may have now. living: how many it has, those that are ending too."""
        return self._cores.room(self, living)


class Cores:
    """`total` processes, shared evenly; what does not divide goes to the pools that came first.

    Where there are more pools than processes, those that came last wait for one.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._lock = threading.Lock()
        self._shares: list[CoreShare] = []

    @contextmanager
    def share(self) -> Iterator[CoreShare]:
        """Count one pool in until the block ends; by then its processes have to be gone."""
        mine = CoreShare(self)
        with self._lock:
            self._shares.append(mine)
        try:
            yield mine
        finally:
            with self._lock:
                self._shares.remove(mine)

    def room(self, share: CoreShare, living: int) -> int:
        """Return how many processes the pool of `share` may have: its part, and never more than are free."""
        with self._lock:
            share.living = living
            each, over = divmod(self._total, len(self._shares))
            part = each + (self._shares.index(share) < over)
            free = self._total - sum(other.living for other in self._shares if other is not share)
            share.living = max(living, room := min(part, free))
            return room
