"""The options of a long-running command that Prometheus may scrape."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from wetread.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


def metrics_options(command: Command) -> Command:
    """Give a command --metrics-port and --metrics-host."""
    port = click.option(
        "--metrics-port", type=click.IntRange(0, 65535), metavar="PORT",
        help="Serve Prometheus metrics there.  [default: WETREAD_METRICS_PORT, else none]",
    )  # fmt: skip
    host = click.option(
        "--metrics-host", metavar="HOST",
        help="The address that the port listens on.  [default: WETREAD_METRICS_HOST, else 127.0.0.1]",
    )  # fmt: skip
    return port(host(command))


def with_metrics(settings: Settings, port: int | None, host: str | None) -> Settings:
    """Return the settings with what the options say."""
    said = {"metrics_port": port, "metrics_host": host}
    return settings.model_copy(update={name: value for name, value in said.items() if value is not None})
