"""Films that changed after their run had read them, and when a new run is to begin for them. Time is a parameter.

A film that changes all the time would start one run after another. So each time it is held back for longer, up to
LONGEST_SECONDS, until it has not changed for FORGET_SECONDS.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from producer.stable_files import Key

FIRST_SECONDS = 60.0
"""How long a film is held back that changes again soon after a run was begun for it; then twice as long each time."""

LONGEST_SECONDS = 3600.0
"""And at most so long."""

FORGET_SECONDS = 2 * LONGEST_SECONDS
"""A film that a run was begun for, and that did not change for so long, is as one that never changed."""


@dataclass(slots=True)
class ChangedAgain:
    """Holds films until a new run is to begin; one that has changed for the first time is not held back itself.

    first: seconds of the second time, and at least from one run that changed films went into to the next for such.
    """

    first: float = FIRST_SECONDS
    _held: dict[Key, tuple[float, float]] = field(default_factory=dict)
    """Of each film that is held: when a run is to begin for it, and how long it is held back for that."""
    _let_go: dict[Key, tuple[float, float]] = field(default_factory=dict)
    """Of each film that was held: how long it was held back last, and when it was let go."""
    _next: float = 0.0

    def note(self, key: Key, now: float) -> None:
        """Hold a film that has changed since it was read; one that is held already waits no longer for it."""
        if key not in self._held:
            wait = self._wait(key, now)
            self._held[key] = (now + wait, wait)

    def _wait(self, key: Key, now: float) -> float:
        before, at = self._let_go.get(key, (0.0, -FORGET_SECONDS))
        if now - at >= FORGET_SECONDS:
            return 0.0
        return min(max(self.first, 2 * before), LONGEST_SECONDS)

    def is_due(self, now: float) -> bool:
        """Return whether a run is to begin for one of them now."""
        return now >= self._next and any(due <= now for due, _ in self._held.values())

    def take(self, now: float) -> list[Key]:
        """Return all films that are held back, for a run that starts now and reads them all, whatever started it."""
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
