"""Metrics of a worker's processes and their memory, measured at each scrape."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client.core import Metric


class Processes:
    """This process, which serves, and those that it started, which read."""

    def collect(self) -> Iterator[Metric]:
        """Yield wetread_worker_processes and wetread_worker_memory_bytes."""
        import psutil
        from prometheus_client.core import GaugeMetricFamily

        serves = psutil.Process()
        memory: dict[str, list[int]] = {"serves": [serves.memory_info().rss], "reads": []}
        for child in serves.children(recursive=True):
            with suppress(psutil.Error):  # it ended while we looked
                if not any("resource_tracker" in word for word in child.cmdline()):  # Python's own, of multiprocessing
                    memory["reads"].append(child.memory_info().rss)
        counts = GaugeMetricFamily("wetread_worker_processes", "Processes of this worker.", labels=("role",))
        sizes = GaugeMetricFamily(
            "wetread_worker_memory_bytes", "Resident memory of this worker's processes, together.", labels=("role",)
        )
        for role, found in memory.items():
            counts.add_metric((role,), len(found))
            sizes.add_metric((role,), sum(found))
        yield counts
        yield sizes
