"""Options of commands that Prometheus may scrape."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from schemas.errors import UsageError

if TYPE_CHECKING:
    from wetread.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


def metrics_options(command: Command) -> Command:
    """Give a command --metrics-port and --metrics-host."""
    return _options(command, "Serve Prometheus metrics there.  [default: WETREAD_METRICS_PORT, else none]")


def with_metrics(settings: Settings, port: int | None, host: str | None) -> Settings:
    """Return the settings with what the options say."""
    said = {"metrics_port": port, "metrics_host": host}
    return settings.model_copy(update={name: value for name, value in said.items() if value is not None})


def own_metrics_options(command: Command) -> Command:
    """Give a command that reads films by processes of its own --metrics-port and --metrics-host.

    The settings' port is that of the worker and of beat, which may run beside it.
    """
    return _options(command, "While it runs, serve Prometheus metrics of its processes there, without a broker.")


def _options(command: Command, port_help: str) -> Command:
    port = click.option("--metrics-port", type=click.IntRange(0, 65535), metavar="PORT", help=port_help)
    host = click.option(
        "--metrics-host", metavar="HOST",
        help="The address that the port listens on.  [default: WETREAD_METRICS_HOST, else 127.0.0.1]",
    )  # fmt: skip
    return port(host(command))


def open_own_metrics(process: str, settings: Settings, port: int | None, host: str | None) -> None:
    """Open the port of `own_metrics_options` where one is asked for, before anything is read.

    Raises UsageError where it is not to be had, or where workers read the films and this command counts nothing.
    """
    if port is None:
        return
    if settings.broker is not None:
        raise UsageError(
            "expected --metrics-port where this command reads the films itself, found WETREAD_BROKER_URL: workers read "
            "them; give the option to `wetread worker` and `wetread beat`"
        )
    from worker.metrics_port import open_metrics

    open_metrics(process, host or settings.metrics_host, port)
