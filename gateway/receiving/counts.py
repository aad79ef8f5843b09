"""What the receiver counts of its own work, and what Prometheus is shown of it."""

from __future__ import annotations

import os
import threading
from collections import Counter
from typing import TYPE_CHECKING

from wetread.metrics.work import DIRECTORY

if TYPE_CHECKING:
    from collections.abc import Sized

    from gateway.receiving.readiness import Standing

LOOK_SECONDS = 1.0


class Counts:
    """Counters by kind and word, from many threads: answers, refused, ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, kind: str, word: str) -> None:
        """Count one."""
        with self._lock:
            self._counts[kind, word] += 1

    def taken(self) -> Counter[tuple[str, str]]:
        """Return what was counted since this was last asked."""
        with self._lock:
            taken, self._counts = self._counts, Counter()
        return taken


def count_beside(counts: Counts, associations: Sized, standing: Standing) -> None:
    """Write the counts into the files that the port's process reads, where one is open (see wetread.metrics.work)."""
    if os.environ.get(DIRECTORY) is None:
        return
    from wetread.metrics.receiving import ReceiverMetrics
    from wetread.supervised_threads import LastingThread

    metrics, ever = ReceiverMetrics(), threading.Event()

    def write() -> None:
        while not ever.wait(LOOK_SECONDS):
            metrics.add(counts.taken())
            metrics.set(len(associations), standing.refusal())

    LastingThread(write, "metrics").start()
