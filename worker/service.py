"""A long-running worker: Celery's pool, and beside it the sweep and a sign of life."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psutil
import structlog
from celery import Celery, signals
from celery.worker.state import active_requests, reserved_requests

from schemas.errors import WetreadError
from wetread.queue import batch_seconds, make_app, queue_length, ring_waiting
from wetread.settings import Settings
from wetread.store.database import Database
from wetread.store.migrating import ensure_schema
from wetread.store.workers import Heartbeat, beat, leave
from worker.child import limit_threads
from worker.deaths import free_what_the_dead_hold
from worker.envelopes import drop_what_is_no_message
from worker.failpoints import armed
from worker.identity import worker_id

DEAF_SECONDS = 20.0
"""Seconds that messages may wait while a worker with nothing to do receives none; then it restarts itself."""


def serve(settings: Settings, *, concurrency: int) -> int:
    """Serve batches from the broker until told to stop; return the exit code.

    Raises ServiceUnavailable when the database or the broker does not answer at the start. Later they are waited for.
    """
    armed()  # a failpoint that is none is refused here, not by each process of the pool
    limit_threads()  # inherited by the pool's processes, which import numpy; this one never does
    database = Database(settings.database)
    ensure_schema(database)
    drop_what_is_no_message()
    app = make_app(settings)
    queue_length(app, settings)
    minder = _Minder(database, app, settings, concurrency)
    # Weak references would let the bound methods go at once.
    signals.worker_ready.connect(minder.start, weak=False)
    signals.worker_shutting_down.connect(minder.stop, weak=False)
    signals.task_received.connect(minder.hear, weak=False)
    worker = app.Worker(
        hostname=f"wetread-{os.getpid()}@{socket.gethostname()}",
        concurrency=concurrency,
        pool_cls="prefork",
        loglevel="WARNING",
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    worker.start()
    minder.stop()
    return int(worker.exitcode or 0)


def restart_process() -> None:
    """Become the same command anew, under the same process id, so that no supervisor has to notice."""
    children = psutil.Process().children(recursive=True)
    for child in children:
        child.kill()
    psutil.wait_procs(children, timeout=5.0)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - our own command, no shell


@dataclass(slots=True)
class _Minder:
    """A thread that rings for what waits and says that this worker lives, every `sweep_seconds`."""

    database: Database
    app: Celery
    settings: Settings
    concurrency: int
    restart: Callable[[], None] = restart_process
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _heard_at: float = field(default_factory=time.monotonic)

    def start(self, **_: Any) -> None:
        """Begin; Celery calls it when the pool is up."""
        self._thread = threading.Thread(target=self._run, name="sweep", daemon=True)
        self._thread.start()

    def stop(self, **_: Any) -> None:
        """End, and take this worker's name off the list."""
        if self._stopped.is_set() or self._thread is None:
            return
        self._stopped.set()
        self._thread.join(timeout=5.0)

    def hear(self, **_: Any) -> None:
        """Remember that a message came; Celery calls it."""
        self._heard_at = time.monotonic()

    def restart_if_deaf(self, now: float) -> None:
        """Restart this worker when messages wait, it has nothing to do, and none has come for long.

        After Redis restarts, Celery's consumer was reported to stay up and receive nothing more (celery issues 8091,
        9054, 10302): then only a new process helps.
        """
        if queue_length(self.app, self.settings) == 0:
            self._heard_at = max(self._heard_at, now)
        # What was cut off with its connection can stay listed as active: no task is longer than its limit.
        patience = DEAF_SECONDS + (batch_seconds(self.settings) if active_requests or reserved_requests else 0.0)
        if now - self._heard_at > patience and not self._stopped.is_set():
            structlog.get_logger().error("messages wait and none arrives; this worker restarts itself")
            self.restart()

    def _run(self) -> None:
        me = Heartbeat(worker_id(), socket.gethostname()[:64], os.getpid(), {"concurrency": self.concurrency})
        while True:
            try:
                with self.database.writing() as session:
                    beat(session, me)
                free_what_the_dead_hold(self.database)
                ring_waiting(self.database, self.app, self.settings)
                self.restart_if_deaf(time.monotonic())
            except WetreadError as error:  # a full disk too: whatever it is, the next sweep may find it mended
                structlog.get_logger().warning("a sweep was missed; the next one follows", why=str(error))
            if self._stopped.wait(self.settings.sweep_seconds):
                break
        try:
            with self.database.writing() as session:
                leave(session, me.id)
        except WetreadError:
            pass  # its row goes stale by itself
