"""Rings the broker for the waiting batches of all runs, and waits for the workers elsewhere that read them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.work.workers import count_alive

if TYPE_CHECKING:
    from wetread.queue import Rung

RINGS_WAITING = 4
"""While so many times the messages of the last ring wait in the broker, the next ring is not urgent."""

LONGEST_PAUSE = 2.0
"""Seconds between two rings at most. A ring took 30 ms of a core, a connection to the broker and three queries."""

NO_WORKER_SECONDS = 10.0
"""Seconds without any worker after which a screening that waits for one says so."""


class Doorbell:
    """Workers elsewhere: we ring for what waits, as any sweep does, and wait.

    Raises ServiceUnavailable where the settings name no broker.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        from wetread.queue import make_app

        self.database = database
        self.settings = settings
        self._app = make_app(settings)
        self._ask_for_workers_at = time.monotonic() + NO_WORKER_SECONDS
        self._ring_at = 0.0

    def start(self) -> None:
        """Raise ServiceUnavailable when the broker does not answer; later it is waited for."""
        from wetread.queue import queue_length

        queue_length(self._app, self.settings)

    def watch(self, seconds: float) -> None:
        """Wait, then ring for what waits, seldom while the broker has plenty; raise ServiceUnavailable as `ring`."""
        time.sleep(seconds)
        self._miss_workers()
        if time.monotonic() < self._ring_at:
            return
        rung = self.ring()
        plenty = rung.waiting // (RINGS_WAITING * max(rung.batches, 1))
        # Half a look early, so that the look at that time is not a hair too soon.
        self._ring_at = time.monotonic() + min(seconds * plenty, LONGEST_PAUSE) - seconds / 2

    def stop(self) -> None:
        """Nothing of ours runs."""

    def _miss_workers(self) -> None:
        """Say now and then that no worker was heard of: the command waits, and its user should know for whom."""
        if time.monotonic() < self._ask_for_workers_at:
            return
        self._ask_for_workers_at = time.monotonic() + 6 * NO_WORKER_SECONDS
        with self.database.reading() as session:
            alive = count_alive(session, 3 * self.settings.sweep_seconds)
        if not alive:
            structlog.get_logger().warning("no worker was heard of lately; start one: wetread worker")

    def ring(self) -> Rung:
        """Ring for what waits, as far as the broker has room; raise ServiceUnavailable when it does not answer."""
        from wetread.queue import ring_waiting

        return ring_waiting(self.database, self._app, self.settings)
