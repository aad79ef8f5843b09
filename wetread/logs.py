"""Structured logs on stderr: lines for people on a terminal, JSON otherwise. Ids, never paths."""

from __future__ import annotations

import logging
import sys

import structlog


def set_up_logs(*, verbose: bool = False) -> None:
    """Send this process's logs to stderr, warnings and above, or all from info when `verbose`."""
    level = logging.INFO if verbose else logging.WARNING
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if sys.stderr.isatty():
        processors.append(structlog.dev.ConsoleRenderer(repr_native_str=True))  # no text that a terminal obeys
    else:
        processors += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
