"""Asks questions that may never be answered: each in a thread of its own, given up after a limit.

A thread that hangs in a call to a service cannot be ended. It ends with the process, which does not wait for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from schemas.errors import ServiceUnavailable

T = TypeVar("T")


class TimedQuestion(Generic[T]):
    """A question that is under way. what: who is asked, for messages; seconds: how long an answer may take."""

    def __init__(self, what: str, seconds: float, look: Callable[[], T]) -> None:
        self._what = what
        self._seconds = seconds
        self._look = look
        self._until = time.monotonic() + seconds
        self._answers: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._ask, name=f"asks {what}", daemon=True)
        self._thread.start()

    def answer(self) -> T:
        """Return the answer, or raise what the question raised; ServiceUnavailable when the time is over."""
        self._thread.join(max(0.0, self._until - time.monotonic()))
        if self._error is not None:
            raise self._error
        if not self._answers:
            raise ServiceUnavailable(f"expected {self._what} to answer within {self._seconds:g} s, found no answer")
        return self._answers[0]

    def _ask(self) -> None:
        try:
            self._answers.append(self._look())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where the answer is wanted
            self._error = error
