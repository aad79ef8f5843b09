"""Estimates a run's pace and its time left, from its accounts as they change."""

from __future__ import annotations

from collections import deque

from schemas.states import RunKind, RunState
from wetread.store.runs.accounts import RunAccount

WINDOW_SECONDS = 30.0
"""Seconds over which a rate is taken: long enough for a slow worker's batches, short enough to see one stop."""


class Pace:
    """The rate of each run over the last half minute; until two looks differ, over the run's whole life."""

    def __init__(self) -> None:
        self._seen: dict[int, deque[tuple[float, int]]] = {}

    def see(self, account: RunAccount, now: float) -> None:
        """Note how many films of a run are settled at `now`, in seconds of any clock that only grows."""
        seen = self._seen.setdefault(account.id, deque())
        seen.append((now, account.settled))
        while len(seen) > 2 and now - seen[0][0] > WINDOW_SECONDS:
            seen.popleft()

    def rate(self, account: RunAccount) -> float:
        """Return films a second."""
        seen = self._seen.get(account.id, deque())
        if len(seen) > 1 and seen[-1][0] > seen[0][0] and account.state == RunState.RUNNING:
            return max(0.0, (seen[-1][1] - seen[0][1]) / (seen[-1][0] - seen[0][0]))
        from wetread.views.accounts import account_pace

        return account_pace(account)[0]

    def left(self, account: RunAccount) -> str:
        """Return the time left as text."""
        if account.state != RunState.RUNNING:
            return ""
        if account.kind == RunKind.WATCH and not account.pending:
            return "waits for films"
        if account.walked_at is None and account.kind != RunKind.WATCH:
            return "still walking"
        rate = self.rate(account)
        return duration(account.pending / rate) if rate > 0 else "waiting"


def duration(seconds: float) -> str:
    """Return seconds as text of at most two units."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    if whole < 2 * 3600:
        return f"{whole // 60} min"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"
