"""Handles Ctrl-C and SIGTERM: ends the work in order, within a time limit even where a call hangs.

A command that has work to leave in order notes the first signal and ends by itself (`noted_interrupts`); any other is
ended by Python's KeyboardInterrupt. Both need the main thread, which may stand in a call to a service that does not
answer. So a thread of its own hears each signal too, says within a second that it was heard, ends the process when its
time to end is over, and at once at a second Ctrl-C. What is left then, leases and the next command mend.
"""

from __future__ import annotations

import atexit
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any

from schemas.errors import EXIT_INTERRUPTED
from screening.end_signals import ORDER_SECONDS, extend, extended_to

ONE_PRESS_SECONDS = 1.0
"""Signals so close are one: `timeout` sends each to the command, and once more to its whole group."""

REACT_SECONDS = 0.8
"""Seconds after which a command that has not ended says that it was asked to; one with nothing to put in order ends."""

NUDGE_SECONDS = 0.4
"""Seconds after which a main thread that has not looked whether to end is taken out of the call it stands in."""

SHOWN_AGAIN = "\x1b[?25h\x1b[?1049l"
"""Has a terminal show its cursor and its own page again, which a bar or a live page may have hidden."""


NUDGE = signal.SIGUSR1
"""Sent to ourselves when a first signal was noted and the main thread stands in a call: it leaves that call."""


class EndRequest(threading.Event):
    """Set by the first signal; remembers whether anybody looked since."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = False

    def is_set(self) -> bool:
        """Return whether this command was asked to end."""
        self.seen = super().is_set()
        return self.seen

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is, up to `timeout` seconds; return whether it is."""
        self.seen = super().wait(timeout)
        return self.seen


@contextmanager
def noted_interrupts(
    clock: Callable[[], float] = time.monotonic, *, order_seconds: float = ORDER_SECONDS
) -> Iterator[threading.Event]:
    """Give an event that is set by the first SIGINT or SIGTERM; a second, later one raises KeyboardInterrupt.

    order_seconds: that the command has to end in order.
    So does the first one, a moment later, where the main thread stands in a call meanwhile and does not look at the
    event. A signal that is ignored, as under nohup, stays so.
    """
    asked, first, noted = EndRequest(), 0.0, False

    def note(number: int, _frame: FrameType | None) -> None:
        nonlocal first, noted
        if number == NUDGE:
            if noted and not asked.seen:
                raise KeyboardInterrupt
        elif not noted:
            first, noted = clock(), True
            asked.set()
        elif clock() - first > ONE_PRESS_SECONDS:
            raise KeyboardInterrupt

    heard = [one for one in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(one) != signal.SIG_IGN]
    before = {one: signal.signal(one, note) for one in (*heard, NUDGE)}
    try:
        with ends_in_order(order_seconds), _nudged():
            yield asked
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@dataclass(slots=True)
class _Ending:
    """When this process, once it is asked to end, has to have ended. Times are those of time.monotonic()."""

    asked_at: float | None = None
    order_seconds: float = 0.0
    hurried: bool = False
    nudges: bool = False

    @property
    def end_at(self) -> float:
        """Return the time by which the process must have ended; infinite before a signal."""
        if self.asked_at is None:
            return float("inf")
        if self.hurried:
            return self.asked_at
        return max(self.asked_at + (self.order_seconds or REACT_SECONDS), extended_to())


_ending = _Ending()


@contextmanager
def ends_in_order(seconds: float = ORDER_SECONDS) -> Iterator[None]:
    """Give this command, while in the block, so many seconds to end in order once it is asked to."""
    before, _ending.order_seconds = _ending.order_seconds, seconds
    try:
        yield
    finally:
        _ending.order_seconds = before
        extend(REACT_SECONDS)  # what follows the block is part of its ending


@contextmanager
def _nudged() -> Iterator[None]:
    _ending.nudges = True
    try:
        yield
    finally:
        _ending.nudges = False


def watch_interrupts() -> None:
    """Have a thread hear SIGINT and SIGTERM from now on, beside whatever handles them."""
    heard, said = os.pipe()
    os.set_blocking(said, False)
    signal.set_wakeup_fd(said, warn_on_full_buffer=False)
    restore = _terminal()
    threading.Thread(target=_watch, args=(heard, restore), name="interrupts", daemon=True).start()


def _watch(heard: int, restore: Callable[[], None]) -> None:
    pressed = told = nudged = False
    while True:
        now = time.monotonic()
        due = _ending.end_at
        if _ending.asked_at is not None and not (told and nudged):
            due = min(due, _ending.asked_at + (REACT_SECONDS if nudged else NUDGE_SECONDS))
        ready = select.select([heard], [], [], None if due == float("inf") else max(0.0, due - now))[0]
        now = time.monotonic()
        for number in os.read(heard, 64) if ready else b"":
            if number not in (signal.SIGINT, signal.SIGTERM) or signal.getsignal(number) is signal.SIG_IGN:
                continue
            pressed = pressed or number == signal.SIGINT
            if _ending.asked_at is None:
                _ending.asked_at = now
            elif number == signal.SIGINT and now - _ending.asked_at > ONE_PRESS_SECONDS:
                _ending.hurried = True
        if now >= _ending.end_at:
            if pressed:  # whoever sent SIGTERM reads logs, whose lines are of another form
                _say("ended at once; nothing that was settled is lost, and the same command continues")
            _end_now(restore)
        if _ending.asked_at is not None and not nudged and now >= _ending.asked_at + NUDGE_SECONDS:
            nudged = True
            if _ending.nudges:
                signal.pthread_kill(threading.main_thread().ident or 0, NUDGE)
        if _ending.asked_at is not None and not told and now >= _ending.asked_at + REACT_SECONDS:
            told = True
            if pressed:
                _say("ending in order; Ctrl-C again ends at once")


def _end_now(restore: Callable[[], None]) -> None:
    restore()
    with suppress(Exception):  # whatever fails here, the end comes
        import psutil

        for child in psutil.Process().children(recursive=True):
            child.kill()
    os._exit(EXIT_INTERRUPTED)


def end_if_interrupted(code: int) -> None:
    """End a process that was asked to, and wait for no thread: one may stand in a call that nobody answers."""
    if _ending.asked_at is None and code != EXIT_INTERRUPTED:
        return
    with suppress(Exception):
        atexit._run_exitfuncs()  # noqa: SLF001 - as Python's own end would, without its wait
    os._exit(code)


def _say(text: str) -> None:
    # Past Python's own buffers and locks: the main thread may hold one of them, and stand.
    with suppress(OSError):
        os.write(2, f"\nwetread: {text}\n".encode())


def _terminal() -> Callable[[], None]:
    """Return what puts the terminal back as it is now."""
    kept: list[Any] = []
    if sys.stdin is not None and sys.stdin.isatty():
        import termios

        with suppress(termios.error):
            kept = termios.tcgetattr(sys.stdin.fileno())

    def restore() -> None:
        with suppress(Exception):  # a terminal that is gone needs none
            if kept:
                import termios

                termios.tcsetattr(0, termios.TCSANOW, kept)
            if os.isatty(2):
                os.write(2, SHOWN_AGAIN.encode())

    return restore
