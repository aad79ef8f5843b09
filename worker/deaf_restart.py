"""Restarts a deaf worker: messages wait in the broker, and it received none for longer than its work explains.

After Redis restarts, Celery's consumer was reported to stay up and receive nothing more (celery issues 8091, 9054,
10302): then only a new process helps.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psutil
import structlog
from celery import Celery
from celery.worker.state import active_requests, reserved_requests

from schemas.errors import ServiceUnavailable
from wetread.queue import START_SECONDS, batch_seconds, queue_length, ring_waiting
from wetread.settings import Settings
from wetread.store.core.database import Database

DEAF_SECONDS = 20.0
"""Seconds that messages may wait while a worker with nothing to do receives none; then it restarts itself."""


def restart_process() -> None:
    """Become the same command anew, under the same process id, so that no supervisor has to notice."""
    children = psutil.Process().children(recursive=True)
    for child in children:
        child.kill()
    psutil.wait_procs(children, timeout=5.0)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - our own command, no shell


@dataclass(slots=True)
class Hearing:
    """When the last message came, and what follows where messages wait and none comes. stopped: the worker ends."""

    database: Database
    app: Celery
    settings: Settings
    restart: Callable[[], None] = restart_process
    stopped: threading.Event = field(default_factory=threading.Event)
    _heard_at: float = field(default_factory=time.monotonic)
    _ready: bool = False

    def hear_from_now(self, **_: Any) -> None:
        """Expect messages from now on; Celery calls it when it is ready for them."""
        self._heard_at, self._ready = time.monotonic(), True

    def hear(self, **_: Any) -> None:
        """Remember that a message came; Celery calls it."""
        self._heard_at = time.monotonic()

    def look(self) -> None:
        """Ring for what waits, and restart where that is not heard; raise ServiceUnavailable without the broker."""
        try:
            ring_waiting(self.database, self.app, self.settings)
            if self._ready:
                self.restart_if_deaf(time.monotonic())
        except ServiceUnavailable:
            self._heard_at = time.monotonic()  # nobody hears a broker that is away, nor at once when it is back
            raise

    def restart_if_deaf(self, now: float) -> None:
        """Restart this worker when messages wait, it has nothing to do, and none has come for long."""
        if queue_length(self.app, self.settings) == 0:
            self._heard_at = max(self._heard_at, now)
        # What was cut off with its connection can stay listed as active: no task is longer than its limit, which counts
        # from when a process has it. One that still starts is no reason either: the next would start no sooner.
        busy = active_requests or reserved_requests
        patience = DEAF_SECONDS + (batch_seconds(self.settings) + START_SECONDS if busy else 0.0)
        if now - self._heard_at > patience and not self.stopped.is_set():
            structlog.get_logger().error("messages wait and none arrives; this worker restarts itself")
            self.restart()
