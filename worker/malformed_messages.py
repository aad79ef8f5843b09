"""Malformed messages: a worker logs and drops them, and goes on to the next.

Kombu, which reads Redis for Celery, checks the content of a message and trusts its envelope: text that is not
JSON, or an envelope that lacks a part, ended the whole worker, and would end the next worker that is started too.
"""

from __future__ import annotations

from contextlib import suppress
from queue import Empty
from typing import Any

import structlog
from kombu.transport import TRANSPORT_ALIASES, redis
from redis.exceptions import ResponseError

FAULTS = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)
"""Errors that kombu and Celery raise on a malformed envelope, and never on a lost connection."""


class _CarefulChannel:
    """Drops messages that are not JSON. A mixin."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]  # kombu's, beside this in each class below
        except (ValueError, RecursionError) as error:
            _refuse(error)
            raise Empty from error  # as when nothing had come


class _CarefulTransport:
    """Drops what is JSON and no message, and takes a broker that refuses for one that is away. A mixin."""

    connection_errors = (*redis.Transport.connection_errors, ResponseError)
    channels: list[Any]

    def _deliver(self, message: Any, queue: str) -> None:
        try:
            super()._deliver(message, queue)  # type: ignore[misc]  # kombu's, beside this in each class below
        except FAULTS as error:
            _refuse(error)
            self._give_up(message)

    def _give_up(self, message: Any) -> None:
        """Take a message that was counted as delivered off that count, which allows one at a time."""
        properties = message.get("properties") if isinstance(message, dict) else None
        tag = properties.get("delivery_tag") if isinstance(properties, dict) else None
        for channel in self.channels if isinstance(tag, str) else ():
            with suppress(KeyError):  # another channel's, or not counted yet
                channel.qos.get(tag)
                channel.basic_reject(tag, requeue=False)


def _refuse(error: Exception) -> None:
    # The type alone: the text would hold what whoever sent it wants to see in our log.
    structlog.get_logger().error("a message was refused: it is none of Celery's", why=type(error).__name__)


class CarefulChannel(_CarefulChannel, redis.Channel):  # type: ignore[misc]  # kombu has no types
    """Redis's channel."""


class CarefulSentinelChannel(_CarefulChannel, redis.SentinelChannel):  # type: ignore[misc]  # kombu has no types
    """The same, with sentinels."""


class CarefulTransport(_CarefulTransport, redis.Transport):  # type: ignore[misc]  # kombu has no types
    """Redis."""

    Channel = CarefulChannel


class CarefulSentinelTransport(_CarefulTransport, redis.SentinelTransport):  # type: ignore[misc]  # kombu has no types
    """Redis behind sentinels."""

    Channel = CarefulSentinelChannel


def drop_what_is_no_message() -> None:
    """Have this process read its broker so, from its next connection on."""
    for name in ("redis", "rediss"):
        TRANSPORT_ALIASES[name] = f"{__name__}:{CarefulTransport.__name__}"
    TRANSPORT_ALIASES["sentinel"] = f"{__name__}:{CarefulSentinelTransport.__name__}"
