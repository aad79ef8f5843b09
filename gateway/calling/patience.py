"""How long a peer is waited for: times of each call, and of the waits between tries. Every wait ends when asked to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TypeVar

from schemas.errors import PeerAway

Answer = TypeVar("Answer")


class AskedToStop(Exception):
    """The wait was cut short: whoever pulls or sends is to end."""


class Busy(Exception):
    """The peer asked us to come again. seconds: when, where it says so."""

    def __init__(self, seconds: float | None) -> None:
        super().__init__("busy")
        self.seconds = seconds


class NoAnswer(Exception):
    """A call broke off, or gave what is no answer. Its text says so without anything of a patient."""


@dataclass(frozen=True, slots=True)
class CallPatience:
    """Seconds: connect, until a connection stands; silent, between two parts of an answer; whole, of one answer.

    tries: calls that may break off in a row; busy_seconds: that a peer may put us off, together; stop: ends it all.
    """

    stop: threading.Event
    connect: float = 10.0
    silent: float = 60.0
    whole: float = 600.0
    tries: int = 4
    busy_seconds: float = 600.0
    first_wait: float = 1.0

    def tried(self, call: Callable[[], Answer]) -> Answer:
        """Return what `call` does, tried again where it breaks off or the peer is busy.

        Raises PeerAway when that goes on, AskedToStop when asked to.
        """
        failures, put_off, wait = 0, 0.0, self.first_wait
        while True:
            self.check()
            try:
                return call()
            except Busy as busy:
                seconds = wait if busy.seconds is None else busy.seconds
                put_off += seconds
                if put_off > self.busy_seconds:
                    raise PeerAway(
                        f"expected an answer, found a peer that is too busy for {self.busy_seconds:g} s: the same "
                        "command goes on later"
                    ) from busy
                self.rest(seconds)
            except NoAnswer as error:
                failures += 1
                if failures >= self.tries:
                    raise PeerAway(
                        f"expected an answer, found none {failures} times, the last time: {error}; the same command "
                        "goes on later"
                    ) from error
                self.rest(wait)
            wait = min(2 * wait, 30.0)

    def check(self) -> None:
        """Raise AskedToStop when asked to end."""
        if self.stop.is_set():
            raise AskedToStop

    def rest(self, seconds: float) -> None:
        """Wait; raise AskedToStop when asked to end meanwhile."""
        if self.stop.wait(max(0.0, seconds)):
            raise AskedToStop


def retry_after(text: str | None) -> float | None:
    """Return the seconds that a header Retry-After names, in one of its two forms; None for none."""
    if not text:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
