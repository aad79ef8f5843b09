"""Extends the lease of the batch in hand while it makes progress; ends a process that hangs or grows too large.

A decoder that hangs holds its thread for ever, and one that eats memory takes the machine with it. The keeper is a
thread beside it: it writes which image it was, and kills its own process; the batch is then taken from the dead and
tried again one image at a time.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import NoReturn, Self

import psutil
import structlog

from schemas.errors import LeaseLost, WetreadError
from schemas.reasons import Reason
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.core.limits import SWEEPING
from wetread.store.work.attempts import note_death
from wetread.store.work.leases import Claim, renew
from wetread.supervised_threads import LastingThread, say_missed

RENEWALS_A_LEASE = 3
"""A lease is renewed after a third of it, so that two renewals may fail."""

AGAIN_SECONDS = 1.0
"""Seconds after which a renewal that failed is tried again: whoever finds the lease run out takes the batch."""

LOOK_SECONDS = 0.1
"""Seconds between two looks at this process's memory: a decoder writes some 200 MB in that time."""

STOOD_STILL_SECONDS = 1.0
"""A look that comes so much too late: the whole process stood still, and no image is to blame for that."""


class LeaseKeeper:
    """Renews a claim from a thread, between `with` and its end."""

    def __init__(self, database: Database, held: Claim, settings: Settings) -> None:
        self._database = database
        self._held = held
        self._leases = [held, *held.riders]
        self._settings = settings
        self._ended = threading.Event()
        self._image_id: int | None = None
        self._waits_for_files = False
        self._since = time.monotonic()
        self._process = psutil.Process()
        self._thread = LastingThread(self._keep, f"lease of batch {held.batch_id}")

    def progress(self, image_id: int | None = None) -> None:
        """Say that the work moved on; `image_id` is the image that is taken alone now."""
        self._image_id = image_id
        self._since = time.monotonic()

    def rest(self) -> None:
        """Say that no image is in hand, until the next progress: the database may take its time."""
        self._image_id = None
        self._since = float("inf")

    @contextmanager
    def waiting_for_files(self) -> Iterator[None]:
        """Say that until the block ends the time is the file server's: no image is to blame for what it takes.

        Whoever waits has a limit of its own (`ReadAhead`).
        """
        self._waits_for_files = True
        try:
            yield
        finally:
            self._since = time.monotonic()
            self._waits_for_files = False

    def __enter__(self) -> Self:
        """Begin to renew."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop renewing; the lease itself ends when the batch is settled or released."""
        self._ended.set()
        self._thread.join()

    def out_of_memory(self) -> NoReturn:
        """End this process, since it was refused memory: a new one begins with all that the machine has."""
        self._end_this_process(Reason.OUT_OF_MEMORY, "the system refused the memory that it takes to read it")

    def _keep(self) -> None:
        settings = self._settings
        renewal = settings.lease_seconds / RENEWALS_A_LEASE
        wait = min(LOOK_SECONDS, renewal / 4, settings.image_seconds / 4)
        looked = time.monotonic()
        due = looked + renewal
        while not self._ended.wait(wait):
            now = time.monotonic()
            if self._waits_for_files or now - looked > wait + STOOD_STILL_SECONDS:
                self._since = max(self._since, now)
            looked = now
            if now - self._since > settings.image_seconds:
                self._end_this_process(Reason.OUT_OF_TIME, f"took longer than {settings.image_seconds:g} s")
            if self._process.memory_info().rss > settings.memory_bytes:
                limit = settings.memory_bytes / 1024**2
                self._end_this_process(Reason.OUT_OF_MEMORY, f"its worker process grew beyond {limit:,.0f} MiB")
            if now >= due:
                kept = [self._renew(held) for held in list(self._leases)]
                due = now + (renewal if all(kept) else min(renewal, AGAIN_SECONDS))

    def _renew(self, held: Claim) -> bool:
        """Renew a lease; return False when the database did not say that it is."""
        try:
            with self._database.writing(SWEEPING) as session:
                renew(session, held, self._settings.lease_seconds)
        except LeaseLost:
            self._leases.remove(held)  # the batch's commit will find the same and write nothing
        except WetreadError:
            return False  # away, or without space; meanwhile the lease may run out, which is safe
        except Exception as error:  # noqa: BLE001 - the same, for what nobody foresaw
            say_missed("a lease was not renewed; the next renewal follows", error)
            return False
        return True

    def _end_this_process(self, reason: Reason, detail: str) -> NoReturn:
        image_id = self._image_id
        log = structlog.get_logger().bind(run=self._held.run_id, batch=self._held.batch_id, image=image_id)
        log.error("this worker process ends itself", reason=str(reason), why=detail)
        try:
            if image_id is not None:
                with self._database.writing() as session:
                    note_death(session, self._held, image_id, reason, detail)
        finally:  # whatever hinders the note
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(1)  # never reached, which the type checker cannot know
