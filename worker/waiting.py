"""How long a process waits: without work, and for a service that is away.

Without work it waits shortly at first, then longer. A service is waited for, since a restart is no reason to give a
night's work up.
"""

from __future__ import annotations

import time

import structlog

from schemas.errors import DatabaseReplaced, RightsMissing, RootUnavailable, ServiceUnavailable, WetreadError

SHORTEST_SECONDS = 0.05
LONGEST_SECONDS = 0.5
"""A watch keeps its processes for days: they ask the database no more often than this while nothing comes."""

PATIENCE_SECONDS = 60.0
"""Seconds that a database or a broker may be away in the middle of the work."""

WORTH_WAITING = (ServiceUnavailable, RightsMissing)
"""Who is in the middle of the work waits for these. A right that was there before is not yet given again while a
backup is restored."""


def run_is_gone(run_id: int, error: WetreadError) -> ServiceUnavailable:
    """Return what to wait for when a run that is running is not found: nobody deletes one, so a backup is restored."""
    return ServiceUnavailable(
        f"expected run {run_id} in the database, found that it is gone: {error}. While a backup is restored it is "
        "waited for; where the backup is older than the run, the same command begins anew"
    )


class Patience:
    """Counts the time that a service has been away, and says when it went and when it came back."""

    def __init__(self, seconds: float = PATIENCE_SECONDS) -> None:
        self._seconds = seconds
        self._away_since: float | None = None

    def away(self, error: WetreadError) -> None:
        """Note a try that failed with `error`; raise it again when the service has been away too long.

        At once where waiting brings nothing back.
        """
        if isinstance(error, DatabaseReplaced):
            raise error
        if self._away_since is None:
            self._away_since = time.monotonic()
            # A root's path is told to its user, and not to logs.
            why = "an archive's root cannot be reached" if isinstance(error, RootUnavailable) else str(error)
            structlog.get_logger().warning(f"waiting up to {self._seconds:g} s for a service", why=why)
        elif time.monotonic() - self._away_since > self._seconds:
            raise error

    def back(self) -> None:
        """Note a try that did not fail."""
        if self._away_since is not None:
            away = time.monotonic() - self._away_since
            structlog.get_logger().warning(f"the service is back after {away:.0f} s; the work goes on")
            self._away_since = None


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
