"""Calls a file server under a time limit: a call that hangs in the system cannot be ended, only left behind."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from schemas.errors import RootSilent

T = TypeVar("T")

TOGETHER = 256
"""Files that are handed over together, at most: so many cost no more than one."""

TOGETHER_SECONDS = 0.1
"""And at most so much later than they were found."""

HANDED_AHEAD = 8
"""Times TOGETHER that the walk may be ahead of whoever records what it finds."""


def answered(call: Callable[[], T], seconds: float) -> T:
    """Return what `call` returns, or raise what it raises; raise RootSilent when it takes longer than `seconds`."""
    said: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def ask() -> None:
        try:
            said.put((call(), None))
        except BaseException as error:  # noqa: BLE001 - raised where the answer is waited for
            said.put((None, error))

    threading.Thread(target=ask, name="asks the file server", daemon=True).start()
    try:
        answer, error = said.get(timeout=seconds)
    except queue.Empty:
        raise RootSilent(_silent(seconds)) from None
    if error is not None:
        raise error
    return answer  # type: ignore[return-value]  # what the call returned, whatever that is


def answered_walk(
    walk: Callable[[Callable[[], None]], Iterator[T]], seconds: float, stop: threading.Event | None = None
) -> Iterator[T]:
    """Yield what `walk` does, as `producer.walk.walk` of a root; raise RootSilent when it does not move for `seconds`.

    walk: called with what it is to call for each entry that it has looked at.
    stop: when it is set there is nothing more, whether the walk has come to its end or not.
    """
    walker = _Walker(walk)
    threading.Thread(target=walker.run, name="walk", daemon=True).start()
    try:
        while stop is None or not stop.is_set():
            try:
                found = walker.found.get(timeout=min(0.5, seconds / 4))
            except queue.Empty:
                if time.monotonic() - walker.moved_at > seconds:
                    raise RootSilent(_silent(seconds)) from None
                continue
            if isinstance(found, BaseException):
                raise found
            if found is None:
                return
            yield from found
    finally:
        walker.left.set()


class _Walker(Generic[T]):
    """The walk, in a thread of its own. found: files, then None or what it raised. left: nobody wants more."""

    def __init__(self, walk: Callable[[Callable[[], None]], Iterator[T]]) -> None:
        self.found: queue.Queue[list[T] | BaseException | None] = queue.Queue(HANDED_AHEAD)
        self.left = threading.Event()
        self.moved_at = time.monotonic()
        self._walk = walk

    def run(self) -> None:
        some: list[T] = []
        since = time.monotonic()
        try:
            for file in self._walk(self._move):
                some.append(file)
                if len(some) >= TOGETHER or self.moved_at - since > TOGETHER_SECONDS:
                    if not self._hand_over(some):
                        return
                    some, since = [], self.moved_at
            self._hand_over(some)
            self._hand_over(None)
        except BaseException as error:  # noqa: BLE001 - raised where the files are waited for
            self._hand_over(error)

    def _move(self) -> None:
        self.moved_at = time.monotonic()

    def _hand_over(self, what: list[T] | BaseException | None) -> bool:
        while not self.left.is_set():
            self._move()  # to wait for whoever records is no silence of the file server's
            try:
                self.found.put(what, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False


def _silent(seconds: float) -> str:
    return (
        f"expected the archive's file server to answer within {seconds:g} s, found that it does not. See to the server "
        "and its mount, then run the same command: it goes on where it stopped, and no film is blamed"
    )
