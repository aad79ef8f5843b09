"""A simulator of discrete events: processes that wait for time, for a place in a queue, or for one another.

A process is a generator. What it yields says what it waits for: seconds; a `Resource`, of which it then has one until
it calls `free`; or a `Process`, whose end it then waits for. Time moves from one event to the next.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Generator
from typing import Any

Steps = Generator["float | Resource | Process", None, Any]


class Resource:
    """So many of something that is had by one process at a time; who comes first has it first.

    capacity: how many there are now; `add` makes more.
    """

    def __init__(self, clock: Clock, capacity: int) -> None:
        self._clock, self.capacity, self._had = clock, capacity, 0
        self._waiting: deque[Process] = deque()
        self._since, self._area, self._queue_area = clock.now, 0.0, 0.0

    @property
    def had(self) -> int:
        """How many are had now."""
        return self._had

    def free(self) -> None:
        """Give one back; who has waited longest gets it."""
        self._note()
        self._had -= 1
        self._hand_out()

    def add(self, count: int) -> None:
        """Make more of it; below 0: fewer."""
        self._note()
        self.capacity += count
        self._hand_out()

    def reset(self) -> None:
        """Begin to count anew, for `utilisation` and `queue_length`."""
        self._note()
        self._area = self._queue_area = 0.0

    def utilisation(self, seconds: float) -> float:
        """Return how many were had on average over the last `seconds`, since `reset`, by how many there are."""
        self._note()
        return self._area / seconds / self.capacity

    def queue_length(self, seconds: float) -> float:
        """Return how many processes waited on average over the last `seconds`, since `reset`."""
        self._note()
        return self._queue_area / seconds

    def ask(self, process: Process) -> None:
        """Have `process` go on when it has one."""
        self._note()
        self._waiting.append(process)
        self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting and self._had < self.capacity:
            self._had += 1
            self._clock.wake(self._waiting.popleft())

    def _note(self) -> None:
        seconds = self._clock.now - self._since
        self._area += self._had * seconds
        self._queue_area += len(self._waiting) * seconds
        self._since = self._clock.now


class Process:
    """A generator that runs, and who waits for its end."""

    def __init__(self, clock: Clock, steps: Steps) -> None:
        self._clock, self._steps = clock, steps
        self._ended, self._waiting = False, list[Process]()

    def step(self) -> None:
        """Go on to what is waited for next."""
        try:
            wanted = next(self._steps)
        except StopIteration:
            self._ended = True
            for other in self._waiting:
                self._clock.wake(other)
            return
        if isinstance(wanted, Resource):
            wanted.ask(self)
        elif not isinstance(wanted, Process):
            self._clock.wake(self, wanted)
        elif wanted._ended:  # noqa: SLF001 - another of this class
            self._clock.wake(self)
        else:
            wanted._waiting.append(self)  # noqa: SLF001 - another of this class


class Clock:
    """The present moment, in seconds, and what happens next. What is to happen at one moment does so in order."""

    def __init__(self) -> None:
        self.now = 0.0
        self._agenda: list[tuple[float, int, Process]] = []
        self._numbers = itertools.count()

    def start(self, steps: Steps, after: float = 0.0) -> Process:
        """Have a generator run from `after` seconds on."""
        process = Process(self, steps)
        self.wake(process, after)
        return process

    def wake(self, process: Process, after: float = 0.0) -> None:
        """Have a process go on in `after` seconds."""
        heapq.heappush(self._agenda, (self.now + after, next(self._numbers), process))

    def run(self, until: float = float("inf")) -> None:
        """Go on to the moment `until`, or until nothing is left to happen."""
        while self._agenda and self._agenda[0][0] <= until:
            self.now, _, process = heapq.heappop(self._agenda)
            process.step()
        if until != float("inf"):
            self.now = max(self.now, until)
