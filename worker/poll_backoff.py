"""How long a process without work waits before it looks again: shortly after work, longer the longer there is none."""

from __future__ import annotations

SHORTEST_SECONDS = 0.05
LONGEST_SECONDS = 0.5
"""A watch keeps its processes for days: so seldom do they ask the database while nothing comes."""


class Waits:
    """The waits of one process, from SHORTEST_SECONDS, each half as long again as the one before."""

    def __init__(self) -> None:
        self._next = SHORTEST_SECONDS

    def worked(self) -> None:
        """Note that there was work: more may be near."""
        self._next = SHORTEST_SECONDS

    def take(self) -> float:
        """Return the seconds to wait now."""
        now, self._next = self._next, min(self._next * 1.5, LONGEST_SECONDS)
        return now
