"""Threads that read files; a thread that hangs in the system is left behind."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")
A = TypeVar("A")

_seen = threading.local()


def alive() -> None:
    """Say that the read of this thread moves on: some bytes came."""
    if (say := getattr(_seen, "say", None)) is not None:
        say()


class ReadThreads:
    """As many threads as are needed, up to `most`; they are daemons, so that a process ends without those that hang."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._work: queue.SimpleQueue[tuple[Future[object], Callable[[], object]] | None] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads = 0
        self._abandoned = False
        self._moved: dict[int, float] = {}
        """Of each thread that reads: when it last moved on."""

    def submit(self, read: Callable[[A], T], argument: A) -> Future[T]:
        """Have a thread call `read`, as soon as one is free."""
        future: Future[T] = Future()
        self._work.put((future, lambda: read(argument)))  # type: ignore[arg-type]  # of whatever type
        if not self._idle.acquire(blocking=False) and self._threads < self._most:
            self._threads += 1
            threading.Thread(target=self._serve, name=f"read {self._threads}", daemon=True).start()
        return future

    def longest_silence(self) -> float:
        """Return the seconds since the thread that hangs longest moved on; 0 where none reads."""
        moved = list(self._moved.values())
        return time.monotonic() - min(moved) if moved else 0.0

    def abandon(self) -> None:
        """Let the threads end, each when it has finished what it reads."""
        self._abandoned = True
        for _ in range(self._threads):
            self._work.put(None)

    def _serve(self) -> None:
        me = threading.get_ident()

        def moved() -> None:
            self._moved[me] = time.monotonic()

        _seen.say = moved
        while (work := self._work.get()) is not None and not self._abandoned:
            future, read = work
            if future.set_running_or_notify_cancel():
                moved()
                try:
                    result = read()
                except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where the result is wanted
                    self._moved.pop(me, None)
                    future.set_exception(error)
                else:
                    self._moved.pop(me, None)
                    future.set_result(result)
                    del result
            del future, read, work
            self._idle.release()
