"""Measures where a worker process's time goes, by stage: two looks at a clock a stage and film.

The stages of `IN_TURN` follow one another in the thread that decodes, so that with `other` they add up to the time
that the process served. Those of `BESIDE` are summed over the reading threads, while the others go on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from wetread.imaging.step import STAGES as PREPROCESSING

WAIT, CLAIM, FILES, LOOKUP = "wait", "claim", "files", "lookup"
DECODE, GATE, NETWORK, SETTLE, OTHER = "decode", "gate", "network", "settle", "other"
READ, HASH = "read", "hash"

IN_TURN = {
    WAIT: "between two batches: waiting for work",
    CLAIM: "database: choosing and taking a batch",
    FILES: "waiting for the reading threads",
    LOOKUP: "database: bytes read before?",
    DECODE: "file to grey pixels",
    **PREPROCESSING,
    GATE: "is it a film?",
    NETWORK: "the network, and the decision",
    SETTLE: "database: writing the readings",
    OTHER: "all else",
}
"""The stages that follow one another, each with what it is."""

BESIDE = {READ: "opening and reading files", HASH: "SHA-256 of their bytes"}
"""The stages of the reading threads."""

Listener = Callable[[Mapping[str, float]], None]
"""Takes {stage: seconds} of what was done since the last call: about a batch."""


class _Inside(threading.local):
    """Of each thread: what the stages took that ended inside the one that is timed now."""

    seconds = 0.0


class Stages:
    """Seconds by stage of one process, since they were last taken; threads may add at once.

    listeners: called by `take` with what it returns, for whoever exports it.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.listeners: list[Listener] = []
        self._clock = clock
        self._lock = threading.Lock()
        self._seconds: dict[str, float] = {}
        self._inside = _Inside()
        self._since = clock()
        self._rested_at: float | None = None
        self._run: int | None = None

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add what the block takes, however it ends, less what another stage inside it takes."""
        began, around = self._clock(), self._inside.seconds
        self._inside.seconds = 0.0
        try:
            yield
        finally:
            took = self._clock() - began
            self.add(stage, took - self._inside.seconds)
            self._inside.seconds = around + took

    def add(self, stage: str, seconds: float) -> None:
        """Add seconds to a stage."""
        with self._lock:
            self._seconds[stage] = self._seconds.get(stage, 0.0) + seconds

    def wake(self) -> None:
        """Say that a batch begins: since the last one ended, this process waited."""
        if self._rested_at is not None:
            self.add(WAIT, self._clock() - self._rested_at)
            self._rested_at = None

    def rest(self) -> None:
        """Say that a batch has ended."""
        self._rested_at = self._clock()

    def serve(self, run: int) -> None:
        """Say whose time it is from now; what was not taken of another run, or of none, is forgotten."""
        if run != self._run:
            self._run = run
            self._start_anew()

    def take(self) -> dict[str, float]:
        """Return {stage: seconds} since this was last called, and begin anew."""
        taken = self._start_anew()
        for listener in self.listeners:
            listener(taken)
        return taken

    def _start_anew(self) -> dict[str, float]:
        now = self._clock()
        with self._lock:
            taken, self._seconds = self._seconds, {}
            elapsed, self._since = now - self._since, now
        named = sum(seconds for stage, seconds in taken.items() if stage in IN_TURN)
        return taken | {OTHER: max(0.0, elapsed - named)}
