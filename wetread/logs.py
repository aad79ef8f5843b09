"""Structured logs on stderr: lines for people on a terminal, JSON otherwise. Ids, never paths.

What Celery logs by Python's own logging comes out in the same form; other libraries are not let in, since some of them
(pydicom) quote what a file holds. A worker's processes say which worker
they are, and what belongs to a batch names its run and batch.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

LEVEL = "WETREAD_LOG_LEVEL"

TAKEN_OVER = ("celery", "kombu", "multiprocessing")
"""Loggers of others that write here; "multiprocessing" is that of Celery's pool."""

_everywhere: dict[str, str] = {}


def set_up_logs(*, verbose: bool = False) -> None:
    """Send this process's logs to stderr: warnings and above, or what WETREAD_LOG_LEVEL says, or info if `verbose`.

    Processes that this one starts hear of `verbose` by the same variable.
    """
    if verbose:
        os.environ[LEVEL] = "info"
    # An unknown level is named by the settings, as every wrong variable is.
    level = logging.getLevelNamesMapping().get(os.environ.get(LEVEL, "warning").upper(), logging.WARNING)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_everywhere,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    ends = _for_people() if sys.stderr.isatty() else _for_programs()
    structlog.configure(
        processors=[*shared, *ends],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    _take_over_logging(shared, ends, level)


def announce(event: str, **values: object) -> None:
    """Log, whatever the level is, what a long-running process says once: that it is ready, and for what."""
    always = structlog.make_filtering_bound_logger(logging.INFO)
    structlog.wrap_logger(structlog.PrintLogger(sys.stderr), wrapper_class=always).info(event, **values)


def say_everywhere(**values: str) -> None:
    """Add these to everything that this process logs from now on, in whatever thread."""
    _everywhere.update(values)


def _for_people() -> list[structlog.typing.Processor]:
    return [structlog.dev.ConsoleRenderer(repr_native_str=True)]  # no text that a terminal obeys


def _for_programs() -> list[structlog.typing.Processor]:
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]


def _add_everywhere(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in _everywhere.items():
        event.setdefault(name, value)
    return event


class _StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to what is standard error at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        self.stream = sys.stderr
        super().emit(record)


def _take_over_logging(
    shared: list[structlog.typing.Processor], ends: list[structlog.typing.Processor], level: int
) -> None:
    handler = _StderrHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ends],
        )
    )
    for name in TAKEN_OVER:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        # Warnings and errors alone: at info each message is told of twice, here and by its batch.
        logger.setLevel(max(level, logging.WARNING))
