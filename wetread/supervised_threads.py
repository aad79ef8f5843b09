"""Threads that a long-running process needs: they survive errors, and if one ends, so does its process.

A thread that dies leaves a process that looks well and does nothing. So a loop takes every error for one of this round;
should its thread end all the same, the process ends with EXIT_BROKEN, and systemd, compose or Kubernetes start another.
"""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable
from typing import Any

import structlog

from schemas.errors import EXIT_BROKEN, WetreadError

FRAMES_SAID = 4
"""The calls that are logged of an error that nobody foresaw, innermost first."""


class LastingThread(threading.Thread):
    """A daemon thread that ends its process when an error ends it.

    ends: called instead of ending the process, for tests.
    """

    def __init__(self, target: Callable[[], Any], name: str, ends: Callable[[int], Any] = os._exit) -> None:
        super().__init__(name=name, daemon=True)
        self._loop = target
        self._ends = ends

    def run(self) -> None:
        """Run the loop."""
        try:
            self._loop()
        except BaseException as error:  # noqa: BLE001 - whatever it was, the process is not whole any more
            structlog.get_logger().critical(
                "a thread that this process cannot do without has ended; the process ends, to be started again",
                thread=self.name, exit=EXIT_BROKEN, **_foreign(error),
            )  # fmt: skip
            self._ends(EXIT_BROKEN)


def say_missed(what: str, error: Exception, **of: object) -> None:
    """Log that a round of a loop was missed because of `error`, and that the next one follows.

    A library's error is reported by its kind and place alone: what libraries quote can hold a path.
    """
    log = structlog.get_logger()
    if isinstance(error, WetreadError):
        log.warning(what, why=str(error), **of)
    else:
        log.error(what, **_foreign(error), **of)


def _foreign(error: BaseException) -> dict[str, object]:
    if isinstance(error, WetreadError):
        return {"why": str(error)}
    calls = reversed(traceback.extract_tb(error.__traceback__)[-FRAMES_SAID:])
    return {"why": type(error).__name__, "at": [f"{call.filename}:{call.lineno} {call.name}" for call in calls]}
