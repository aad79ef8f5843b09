"""When films that the world kept from being read are tried again by a watch. Time is a parameter."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_SECONDS = 3600.0
"""So often is tried what fails again and again: each try is a batch."""


@dataclass(slots=True)
class TryingAgain:
    """Tells at each walk whether it is to try again. first: seconds until the second try; each wait is twice the last.

    Where the number of failed films has changed since, it begins anew: the world has changed.
    """

    first: float
    _failed: int = 0
    _wait: float = 0.0
    _at: float = 0.0

    def is_due(self, failed: int, now: float) -> bool:
        """Return whether the walk that begins now tries the `failed` films again."""
        if failed != self._failed:
            self._failed, self._wait, self._at = failed, self.first / 2, now
        if failed == 0 or now < self._at:
            return False
        self._wait = min(2 * self._wait, LONGEST_SECONDS)
        self._at = now + self._wait
        return True
