"""Sums the metrics of a worker's processes, those that have ended included.

A process of a pool is replaced after some batches, or when it died, and its counts stay in files of its own. Without
this a worker that serves for months would read ever more of them at each scrape.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from glob import glob
from typing import TYPE_CHECKING

from wetread.metrics.work import PREFIX

if TYPE_CHECKING:
    from prometheus_client.core import Metric

KINDS = ("counter", "histogram")
"""What `Work` has; the files are named KIND_PID.db."""


class Together:
    """Says what all processes counted in a directory."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._lock = threading.Lock()

    def collect(self) -> Iterable[Metric]:
        """Return the sums over all processes, living and ended."""
        from prometheus_client.multiprocess import MultiProcessCollector

        # A scrape is a thread: none may read while another is between a sum and the file that is in it.
        with self._lock:
            merge_ended(self._directory)
            collector = MultiProcessCollector(None, path=self._directory)  # type: ignore[no-untyped-call]  # it has no types
            return list(collector.collect())  # type: ignore[no-untyped-call]  # it has no types


def merge_ended(directory: str) -> int:
    """Add what processes that have ended counted to the files of process 0, which never exists; return how many files.

    A directory that somebody else named is left as it is: processes of other machines may count there. The class that
    writes the files is not public: tests/unit/metrics/test_metrics_file_layout.py holds their layout.
    """
    from prometheus_client.mmap_dict import MmapedDict

    if not os.path.basename(directory).startswith(PREFIX):
        return 0
    merged = 0
    for kind in KINDS:
        ended = [file for file in glob(os.path.join(directory, f"{kind}_*.db")) if _has_ended(file)]
        if not ended:
            continue
        kept = MmapedDict(os.path.join(directory, f"{kind}_0.db"))  # type: ignore[no-untyped-call]  # it has no types
        for file in ended:
            for key, value, _, _ in MmapedDict.read_all_values_from_file(file):  # type: ignore[no-untyped-call]  # it has no types
                kept.write_value(key, kept.read_value(key)[0] + value, 0.0)  # type: ignore[no-untyped-call]  # it has no types
            os.remove(file)
            merged += 1
        kept.close()  # type: ignore[no-untyped-call]  # it has no types
    return merged


def _has_ended(file: str) -> bool:
    import psutil

    pid = int(os.path.basename(file).rpartition("_")[2].removesuffix(".db"))
    return pid != 0 and not psutil.pid_exists(pid)
