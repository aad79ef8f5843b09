"""How often somebody may try to sign in: by name and address, and by address."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

OF_A_NAME, OF_AN_ADDRESS = 5, 30
"""Failures within WINDOW_SECONDS, after which nobody signs in so until the window is over."""

WINDOW_SECONDS = 15 * 60.0
REMEMBERED = 10_000


class Throttle:
    """Counts failures; kept in memory, since one process serves, and lost with it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[tuple[str, ...], list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def seconds_left(self, name: str, address: str) -> float:
        """Return how long the next try has to wait; 0 where it may come now."""
        with self._lock:
            return max(self._left((name, address), OF_A_NAME), self._left((address,), OF_AN_ADDRESS))

    def failed(self, name: str, address: str) -> None:
        """Count a failure."""
        with self._lock:
            for key in ((name, address), (address,)):
                kept = [at for at in self._failures.pop(key, []) if at > self._clock() - WINDOW_SECONDS]
                self._failures[key] = [*kept, self._clock()][-OF_AN_ADDRESS:]
            while len(self._failures) > REMEMBERED:
                self._failures.popitem(last=False)

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of this name from this address."""
        with self._lock:
            self._failures.pop((name, address), None)

    def _left(self, key: tuple[str, ...], most: int) -> float:
        failures = self._failures.get(key, [])
        return max(0.0, failures[-most] + WINDOW_SECONDS - self._clock()) if len(failures) >= most else 0.0
