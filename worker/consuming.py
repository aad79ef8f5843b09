"""Handles a broker that answers and refuses: waits, logs why and what to do, and continues when it may.

A Redis that is a replica, that is full, that keeps something else under the queue's name: Celery takes none of these
for a lost connection, and ended (celery #7946). Here each is met as one, and tried again after a pause: without it
Celery would try anew at once, some thousand times a second.
"""

from __future__ import annotations

import time

import structlog
from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown
from redis.exceptions import ResponseError

from wetread.queue import broker_cure

PAUSE_SECONDS = 2.0
"""Seconds from a refusal, or a connection that was lost as soon as it was made, to the next try."""

LOOK_SECONDS = 0.2
"""Seconds between two looks, in a pause, whether the worker is told to end."""

SAY_SECONDS = 60.0
"""Seconds after which the same refusal is said again."""


class PatientConsumer(Consumer):  # type: ignore[misc]  # celery has no types
    """Celery's consumer, with a pause before it tries a broker again that let it in and then refused."""

    _refused_at: float = float("-inf")
    _said: tuple[str, float] = ("", float("-inf"))

    def on_connection_error_before_connected(self, exc: Exception) -> None:
        """Say why, and pause."""
        super().on_connection_error_before_connected(exc)
        self._pause(exc)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Let go of the connection, say why, and pause."""
        super().on_connection_error_after_connected(exc)
        self._pause(exc)

    def _pause(self, error: Exception) -> None:
        now = time.monotonic()
        soon, self._refused_at = now - self._refused_at < 2 * PAUSE_SECONDS, now
        if not soon and not any(isinstance(one, ResponseError) for one in (error, error.__cause__)):
            return
        what, at = self._said
        if what != str(error) or now - at > SAY_SECONDS:
            self._said = (str(error), now)
            structlog.get_logger().warning(
                "the broker refuses; this worker waits, and goes on when it may",
                why=str(error),
                cure=broker_cure(error),
            )
        while time.monotonic() < now + PAUSE_SECONDS:
            maybe_shutdown()
            time.sleep(LOOK_SECONDS)
