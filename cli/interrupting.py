"""Ctrl-C and SIGTERM are met where the work can be left in order: the first is noted, a second ends at once.

Raised wherever the program happens to be, an interrupt that met a database's connection as it closed was lost.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

ONE_PRESS_SECONDS = 1.0
"""Signals so close are one: `timeout` sends each to the command, and once more to its whole group."""


@contextmanager
def noted_interrupts(clock: Callable[[], float] = time.monotonic) -> Iterator[threading.Event]:
    """Give an event that is set by the first SIGINT or SIGTERM; a second, later one raises KeyboardInterrupt.

    A signal that is ignored, as under nohup, stays so.
    """
    asked, first = threading.Event(), 0.0

    def note(_signal: int, _frame: FrameType | None) -> None:
        nonlocal first
        if not asked.is_set():
            first = clock()
            asked.set()
        elif clock() - first > ONE_PRESS_SECONDS:
            raise KeyboardInterrupt

    heard = [one for one in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(one) != signal.SIG_IGN]
    before = {one: signal.signal(one, note) for one in heard}
    try:
        yield asked
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
