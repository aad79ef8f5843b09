"""Heartbeat: a worker process reports every few seconds that it is alive, its batch and its memory.

It is for people (`wetread status --watch`, the metrics) and decides nothing: who holds a batch is said by its lease.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from schemas.errors import WetreadError
from wetread.store.core.database import Database
from wetread.store.core.limits import SWEEPING
from wetread.store.work.workers import Heartbeat, WorkerKind, beat, leave
from wetread.supervised_threads import LastingThread, say_missed
from worker.batches_in_doubt import InDoubt

SIGN_SECONDS = 5.0
"""Seconds between two signs: often enough for people, and next to nothing beside the writes of a batch."""


class BatchInHand:
    """What a process has in hand; written by the thread that works, read by the one that says so."""

    def __init__(self) -> None:
        self._in_hand: tuple[int, int, float] | None = None
        self.stage = "waiting"

    @contextmanager
    def at(self, run_id: int, batch_id: int, stage: str = "reading") -> Iterator[None]:
        """Say that this batch is in hand until the block ends."""
        self._in_hand, self.stage = (run_id, batch_id, time.monotonic()), stage
        try:
            yield
        finally:
            self._in_hand, self.stage = None, "waiting"

    def details(self) -> dict[str, Any]:
        """Return it as a worker's row holds it."""
        in_hand = self._in_hand
        if in_hand is None:
            return {"stage": self.stage}
        run_id, batch_id, since = in_hand
        return {
            "stage": self.stage, "run": run_id, "batch": batch_id, "batch_seconds": round(time.monotonic() - since, 1)
        }  # fmt: skip


class SignOfLife:
    """Writes a process's row from a thread, from `start` to `stop`.

    in_doubt: what the process may hold without knowing, given back where it takes no other batch.
    idle: called with each sign while no batch is in hand.
    """

    def __init__(
        self,
        database: Database,
        owner: str,
        standing: BatchInHand,
        every: float = SIGN_SECONDS,
        in_doubt: InDoubt | None = None,
        idle: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._owner = owner
        self._standing = standing
        self._every = every
        self._in_doubt = in_doubt or InDoubt()
        self._idle = idle
        self._process = psutil.Process()
        self._stopped = threading.Event()
        self._thread = LastingThread(self._run, "sign of life")

    def start(self) -> None:
        """Begin, with a first sign at once."""
        self._thread.start()

    def stop(self) -> None:
        """End, and take this process off the list."""
        self._stopped.set()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._give()
            self._stopped.wait(self._every)
        try:
            self._in_doubt.clear_if_idle(self._database, self._owner)
            with self._database.writing(SWEEPING) as session:
                leave(session, self._owner)
        except Exception as error:  # noqa: BLE001 - its row goes silent by itself
            say_missed("this process was not taken off the list of the living", error)

    def _give(self) -> None:
        try:
            details = {
                "kind": WorkerKind.PROCESS, "every_seconds": self._every,
                "memory_bytes": int(self._process.memory_info().rss), **self._standing.details(),
            }  # fmt: skip
            with self._database.writing(SWEEPING) as session:
                beat(session, Heartbeat(self._owner, socket.gethostname()[:64], os.getpid(), details))
            self._in_doubt.clear_if_idle(self._database, self._owner, self._idle)
        except WetreadError:
            pass  # away, or without space: the batch in hand meets the same and says so
        except Exception as error:  # noqa: BLE001 - of one sign; the next one follows
            say_missed("a sign of life was missed; the next one follows", error)
