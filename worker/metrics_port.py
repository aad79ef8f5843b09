"""The metrics port of a worker, or of a command that reads films itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from wetread.metrics.port import Collector


def counting_processes() -> tuple[Collector, ...]:
    """Have this process and those it starts count together; return what says so to Prometheus.

    To be called before anything imports prometheus_client: who does so before counts alone.
    """
    from wetread.metrics.work import count_together

    directory = count_together()
    from wetread.metrics.multiprocess import Together
    from wetread.metrics.processes import Processes

    return Together(directory), Processes()


def open_metrics(process: str, host: str, port: int) -> int:
    """Serve what this process and those it starts count; return the port.

    process: which command this is, for wetread_build_info. Raises UsageError where the port is not to be had.
    """
    counting = counting_processes()
    from wetread.metrics.port import open_port, worker_registry

    opened = open_port(worker_registry(process, counting), host, port)
    structlog.get_logger().info("metrics are served", host=host, port=opened)
    return opened
