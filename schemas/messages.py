"""The one message that crosses the broker: the id of a batch, never pixels, never paths.

A message is a doorbell. Everything about the batch is read from the database, so a forged message can
name a batch but cannot say what is done with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schemas.errors import MessageError

MESSAGE_VERSION = 1
MESSAGE_BYTES_LIMIT = 1024
"""Bytes of one whole message on the broker, envelope included; a test holds it."""


@dataclass(frozen=True, slots=True)
class BatchMessage:
    """Ring for one batch."""

    batch_id: int

    def encode(self) -> dict[str, int]:
        """Return the JSON body."""
        return {"v": MESSAGE_VERSION, "batch_id": self.batch_id}

    @classmethod
    def decode(cls, body: Any) -> BatchMessage:
        """Return the message in `body`; raise MessageError when it is not exactly one of ours."""
        if not isinstance(body, dict) or set(body) != {"v", "batch_id"}:
            raise MessageError(f"expected a message with v and batch_id, found {type(body).__name__}; it was dropped")
        if body["v"] != MESSAGE_VERSION:
            raise MessageError(
                f"expected message version {MESSAGE_VERSION}, found {str(body['v'])[:40]!r}; upgrade this worker"
            )
        batch_id = body["batch_id"]
        if isinstance(batch_id, bool) or not isinstance(batch_id, int) or not 0 < batch_id < 2**63:
            raise MessageError(f"expected a positive batch id, found {type(batch_id).__name__}; it was dropped")
        return cls(batch_id)
