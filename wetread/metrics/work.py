"""Metrics of a worker's own work, in all its processes.

A worker's films are read by processes of its pool, which come and go, while one port is scraped. So each process
writes what it counts into files of a directory that the port's process reads (prometheus_client's multiprocess mode):
counts stay when the process that made them dies. The database is not asked: it says what all workers did together,
which is beat's to export, and each worker exporting that again would count it as often as there are workers.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Mapping
from functools import lru_cache

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which prometheus_client is told, before it is imported, that processes count together."""

PREFIX = "wetread-metrics-"

STAGE_BUCKETS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Seconds: from the network's share of a small batch to a batch on a slow disk."""


class Work:
    """A process's counters. Made once in a process, by `work`."""

    def __init__(self) -> None:
        from prometheus_client import Counter, Histogram

        # Of no registry: what is scraped is read from the files, of all processes.
        self._films = Counter(
            "wetread_films_settled", "Films that this worker brought to an end, since it started.",
            ("state", "reason"), registry=None,
        )  # fmt: skip
        self._batches = Counter(
            "wetread_batches", "Batches that this worker took, by how that ended.", ("ending",), registry=None
        )
        self._batch = Histogram(
            "wetread_batch_seconds", "Seconds from the claim of a batch to its end.",
            buckets=STAGE_BUCKETS, registry=None,
        )  # fmt: skip
        self._stages = Histogram(
            "wetread_stage_seconds", "Seconds that a stage took of a batch.",
            ("stage",), buckets=STAGE_BUCKETS, registry=None,
        )  # fmt: skip
        self._deaths = Counter(
            "wetread_worker_deaths", "Processes that read films and were found dead on this machine.", registry=None
        )
        self._expiries = Counter(
            "wetread_lease_expiries", "Batches taken from a worker that was silent past its lease.", registry=None
        )
        self._sweeps = Counter("wetread_sweeps", "Sweeps, by whether they were made.", ("result",), registry=None)

    def settled(self, films: Mapping[tuple[str, str], int]) -> None:
        """Count films: {(state, reason): how many}."""
        for (state, reason), count in films.items():
            self._films.labels(state, reason).inc(count)

    def batch(self, ending: str, seconds: float) -> None:
        """Count a batch and the seconds that it took."""
        self._batches.labels(ending).inc()
        self._batch.observe(seconds)

    def stages(self, seconds: Mapping[str, float]) -> None:
        """Note how long each stage of a batch took: {stage: seconds}."""
        for stage, took in seconds.items():
            self._stages.labels(stage).observe(took)

    def deaths(self, count: int) -> None:
        """Count processes that died."""
        self._deaths.inc(count)

    def expiry(self) -> None:
        """Count a batch whose lease had run out in another's hand."""
        self._expiries.inc()

    def sweep(self, made: bool) -> None:
        """Count a sweep."""
        self._sweeps.labels("made" if made else "missed").inc()


def count_together() -> str:
    """Make this process and its children count into one directory, and return it.

    To be called before prometheus_client is imported. A directory that is named already is kept: a worker that
    restarts itself goes on counting, and whoever named it themselves also empties it.
    """
    directory = os.environ.get(DIRECTORY)
    if directory is None:
        directory = os.environ[DIRECTORY] = tempfile.mkdtemp(prefix=PREFIX)
    if os.path.basename(directory).startswith(PREFIX):
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory


@lru_cache(maxsize=1)
def work() -> Work | None:
    """Return this process's counters; None, without importing anything, where counting is off."""
    return Work() if os.environ.get(DIRECTORY) else None
