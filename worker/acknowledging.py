"""Acknowledges a Celery message; a failure ends the broker's connection, so that a new one is made."""

from __future__ import annotations

from celery.utils.log import get_logger
from celery.worker.request import Request


class BatchRequest(Request):  # type: ignore[misc]  # celery has no types
    """One delivery of a batch's message.

    When Redis goes away while a batch is read, its acknowledgement is the first to meet that. Celery's own request
    logs the failure and goes on; the message then holds the worker's one slot for ever, so that it neither asks for
    another nor looks at its dead connection, and receives nothing more: after each of 8 restarts of Redis a busy
    worker was deaf. A failure that is raised instead is met as any lost connection is.
    """

    acknowledged: bool

    def acknowledge(self) -> None:
        """Acknowledge the message, once."""
        if not self.acknowledged:
            self.on_ack(get_logger(__name__), ())  # the errors to swallow: none
            self.acknowledged = True
