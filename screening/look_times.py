"""When a command that waits for its run looks at the run's accounts: often near the end, seldom long before it.

A look at PostgreSQL takes some 13 ms of the cores that read the films. Five a second took 4% of two cores that read
180 films a second.
"""

from __future__ import annotations

import time

from wetread.store.runs.accounts import RunAccount

SHORTEST, LONGEST = 0.2, 1.0
"""Seconds between two looks at least, and at most."""

LOOKS_LEFT = 16
"""The next look comes when a sixteenth of the time that is left has passed, so that the end is seen within SHORTEST."""


class LookTimes:
    """The time of the next look, from what the last looks saw."""

    def __init__(self) -> None:
        self._due = 0.0
        self._first: tuple[float, int] | None = None

    def due(self) -> bool:
        """Tell whether it is time for a look."""
        return time.monotonic() >= self._due

    def looked(self, account: RunAccount) -> None:
        """Plan the next look after one that saw `account`."""
        now, settled = time.monotonic(), account.settled
        if self._first is None:
            self._first = now, settled
        since, before = self._first
        # Without a film settled nobody can tell how long it takes: the run may be short.
        rate = (settled - before) / (now - since) if now > since else 0.0
        left = account.pending / rate if rate > 0 else now - since
        self._due = now + min(max(left / LOOKS_LEFT, SHORTEST), LONGEST)
