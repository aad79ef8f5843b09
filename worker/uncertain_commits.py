"""Repeats a write until the database answers: an earlier try may have committed, and only its answer was lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from schemas.errors import ServiceUnavailable

SHORTEST_SECONDS, LONGEST_SECONDS = 0.05, 1.0
"""Between two tries: a connection that was cut is made anew at once, a database that restarts takes seconds."""

T = TypeVar("T")


def repeated(write: Callable[[bool], T], *, seconds: float, stop: Event) -> T:
    """Return what `write` returns, tried until the database answers: for up to `seconds`, and once more after `stop`.

    write: told whether it was tried before; it may then have been written, and must do no harm by being written again.
    Raises ServiceUnavailable of the last try.
    """
    give_up, again, wait = time.monotonic() + seconds, False, SHORTEST_SECONDS
    while True:
        try:
            return write(again)
        except ServiceUnavailable:
            if stop.is_set() or time.monotonic() + wait > give_up:
                raise
        again = True
        stop.wait(wait)
        wait = min(2 * wait, LONGEST_SECONDS)
