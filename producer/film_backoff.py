"""Backoff of a watch: when it reads a film again that changed after it was read or could not be reached.

A film that changes all the time would start one run after another, and each retry of a film out of reach is a batch.
So each wait is twice as long as the one before, up to LONGEST_SECONDS. A film that did not change for FORGET_SECONDS
starts again with the first wait. Time is a parameter.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from producer.stable_files import Key

FIRST_SECONDS = 60.0
"""How long a film waits that changes again soon after a run began for it; each later wait is twice as long."""

LONGEST_SECONDS = 3600.0
"""The longest wait."""

FORGET_SECONDS = 2 * LONGEST_SECONDS
"""A film that did not change for so long after its run is treated as if it had never changed."""


def _longer(before: float, first: float) -> float:
    """Return the wait that follows a wait of `before` seconds (0: the first)."""
    return min(max(first, 2 * before), LONGEST_SECONDS)


@dataclass(slots=True)
class ChangedAgain:
    """Holds changed films until a new run should begin for them; a film that changed for the first time does not wait.

    first: seconds that a film waits at its second change, and the least time between two runs for changed films.
    """

    first: float = FIRST_SECONDS
    _held: dict[Key, tuple[float, float]] = field(default_factory=dict)
    """Film -> when a run should begin for it, and how long it waits until then."""
    _let_go: dict[Key, tuple[float, float]] = field(default_factory=dict)
    """Film -> how long it waited last, and when its run began."""
    _next: float = 0.0

    def note(self, key: Key, now: float) -> None:
        """Hold a film that changed since it was read; a further change while it is held does not lengthen its wait."""
        if key not in self._held:
            wait = self._wait(key, now)
            self._held[key] = (now + wait, wait)

    def _wait(self, key: Key, now: float) -> float:
        before, at = self._let_go.get(key, (0.0, -FORGET_SECONDS))
        if now - at >= FORGET_SECONDS:
            return 0.0
        return _longer(before, self.first)

    def is_due(self, now: float) -> bool:
        """Return whether a run should begin now."""
        return now >= self._next and any(due <= now for due, _ in self._held.values())

    def take(self, now: float) -> list[Key]:
        """Return all films held, for a run that starts now, for any reason, and reads them all."""
        self._let_go = {key: kept for key, kept in self._let_go.items() if now - kept[1] < FORGET_SECONDS}
        self._let_go |= {key: (wait, now) for key, (_, wait) in self._held.items()}
        taken, self._held = list(self._held), {}
        if taken:
            self._next = now + self.first
        return taken

    def waiting(self) -> list[Key]:
        """Return the films that are held."""
        return list(self._held)

    def __len__(self) -> int:
        return len(self._held)


@dataclass(slots=True)
class TryingAgain:
    """Tells at each walk whether it tries films again that could not be reached.

    first: seconds until the second try; each wait is twice the last. Where the number of failed films has changed
    since, it begins anew: the world has changed.
    """

    first: float
    _failed: int = 0
    _wait: float = 0.0
    _at: float = 0.0

    def is_due(self, failed: int, now: float) -> bool:
        """Return whether the walk that begins now tries the `failed` films again."""
        if failed != self._failed:
            self._failed, self._wait, self._at = failed, 0.0, now
        if failed == 0 or now < self._at:
            return False
        self._wait = _longer(self._wait, self.first)
        self._at = now + self._wait
        return True
