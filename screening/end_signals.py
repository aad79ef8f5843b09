"""How long this process may take to end after a signal: batches in hand are worth finishing.

Whoever ends a process that does not end by itself, as the command line does, asks `extended_to` before.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

ORDER_SECONDS = 10.0
"""Seconds for what is put in order at the end, beside the time that the readers need for their batches."""

_extended_to = 0.0


class AskedToEnd(Exception):
    """A run was left before its end, as whoever set the event asked; the run says so, and its order continues it."""


def extended_to() -> float:
    """Return the time, by time.monotonic(), up to which this process is still ending in order; 0 when nobody asked."""
    return _extended_to


def extend(seconds: float) -> None:
    """Allow `seconds` from now to end in order, or more where more was allowed already."""
    global _extended_to
    _extended_to = max(_extended_to, time.monotonic() + seconds)


@contextmanager
def longer_ending(seconds: float) -> Iterator[None]:
    """Within the block, allow more seconds to end in order: for work that is worth more than a quick end."""
    global _extended_to
    before, _extended_to = _extended_to, time.monotonic() + seconds
    try:
        yield
    finally:
        _extended_to = max(before, time.monotonic() + ORDER_SECONDS)
