"""The port that Prometheus scrapes: off by default, and on loopback unless set otherwise."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol

from schemas.errors import UsageError

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from prometheus_client.registry import CollectorRegistry


class Collector(Protocol):
    """Says its metrics at each scrape."""

    def collect(self) -> Iterable[Metric]:
        """Return them."""


class BuildInfo:
    """Which program this is. process: "worker", "beat", "screen" or "watch"."""

    def __init__(self, process: str) -> None:
        self._labels = {"version": version("wetread"), "python": platform.python_version(), "process": process}

    def collect(self) -> Iterator[Metric]:
        """Yield wetread_build_info."""
        from prometheus_client.core import GaugeMetricFamily

        family = GaugeMetricFamily("wetread_build_info", "The program that runs.", labels=list(self._labels))
        family.add_metric(list(self._labels.values()), 1)
        yield family


def worker_registry(process: str, collectors: Iterable[Collector]) -> CollectorRegistry:
    """Return what the port of a `process` that has films read shows: the program, and the collectors."""
    from prometheus_client import CollectorRegistry

    registry = CollectorRegistry()
    for collector in (BuildInfo(process), *collectors):
        registry.register(collector)
    return registry


def open_port(registry: CollectorRegistry, host: str, port: int) -> int:
    """Serve `registry` at http://host:port/metrics from a thread until this process ends; return the port.

    port: 0 takes a free one. Raises UsageError where it is not to be had.
    """
    from prometheus_client import start_http_server

    try:
        server, _ = start_http_server(port, host, registry)
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"expected a free port for metrics, found that {host}:{port} cannot be opened: {error}; "
            "choose another by --metrics-port, and another address by --metrics-host"
        ) from error
    return int(server.server_port)
