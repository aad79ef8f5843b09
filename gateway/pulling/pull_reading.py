"""Has what a pull fetches read as it comes, where no `wetread listen` does so for the same spool."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from gateway.calling.patience import AskedToStop
from gateway.pulling.pulling import Pulling
from screening.end_signals import longer_ending
from wetread.store.received.pulls import PullRow

END_SECONDS = 90.0
"""Seconds that a film which is being fetched may take to its end."""


@dataclass(slots=True)
class PullThread:
    """Pulls in a thread of its own. stop_asked: ends it between two films."""

    pulling: Pulling
    stop_asked: threading.Event
    _thread: threading.Thread | None = None
    _fault: list[Exception] = field(default_factory=list)

    def start(self) -> None:
        """Begin to pull."""
        self._thread = threading.Thread(target=self._pull, name="pull", daemon=True)
        self._thread.start()

    def watch(self, seconds: float = 0.0) -> None:
        """Leave it alone: a fault is told at the end, when all that was fetched is read."""

    def stop(self) -> None:
        """Have it end after the films in hand."""
        self.stop_asked.set()
        if self._thread is not None:
            with longer_ending(END_SECONDS):
                self._thread.join(END_SECONDS)

    @property
    def is_over(self) -> bool:
        """Return whether it brings no more."""
        return self._thread is not None and not self._thread.is_alive()

    def ended(self) -> PullRow:
        """Return the pull; raise what it was ended by."""
        for fault in self._fault:
            if not isinstance(fault, AskedToStop):
                raise fault
        return self.pulling.account

    def _pull(self) -> None:
        try:
            self.pulling.pull()
        except Exception as error:  # noqa: BLE001 - raised by `ended`, in the thread that shows it
            self._fault.append(error)


def pulled(pulling: Pulling, stop: threading.Event) -> PullRow:
    """Pull, and leave the reading to others; return the accounts, unfinished where it was asked to stop."""
    thread = PullThread(pulling, pulling.patience.stop)
    thread.start()
    while not thread.is_over and not stop.wait(0.2):
        pass
    thread.stop()
    return thread.ended()
