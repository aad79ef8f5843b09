"""Ctrl-C and SIGTERM are met where the work can be left in order: the first is noted, a second ends at once.

Raised wherever the program happens to be, an interrupt that met a database's connection as it closed was lost.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def noted_interrupts() -> Iterator[threading.Event]:
    """Give an event that is set by the first SIGINT or SIGTERM; the second raises KeyboardInterrupt.

    A signal that is ignored, as under nohup, stays so.
    """
    asked = threading.Event()

    def note(_signal: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    heard = [one for one in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(one) != signal.SIG_IGN]
    before = {one: signal.signal(one, note) for one in heard}
    try:
        yield asked
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
