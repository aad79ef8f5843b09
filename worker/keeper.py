"""Keeps the lease of the batch in hand while it makes progress, and ends a process that makes none.

A decoder that hangs holds its thread for ever. The keeper is a thread beside it: when one image takes longer than
it may, it writes which, and kills its own process; the lease is then taken from the dead and the batch tried again
one image at a time.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from types import TracebackType
from typing import Self

import structlog

from schemas.errors import LeaseLost, ServiceUnavailable
from wetread.store.database import Database
from wetread.store.leases import Claim, note_stall, renew

RENEWALS_A_LEASE = 3
"""A lease is renewed after a third of it, so that two renewals may fail."""


class LeaseKeeper:
    """Renews a claim from a thread, between `with` and its end.

    image_seconds: the longest time between two calls of `progress`.
    """

    def __init__(self, database: Database, held: Claim, *, lease_seconds: float, image_seconds: float) -> None:
        self._database = database
        self._held = held
        self._lease_seconds = lease_seconds
        self._image_seconds = image_seconds
        self._ended = threading.Event()
        self._image_id: int | None = None
        self._since = time.monotonic()
        self._thread = threading.Thread(target=self._keep, name=f"lease of batch {held.batch_id}", daemon=True)

    def progress(self, image_id: int | None = None) -> None:
        """Say that the work moved on; `image_id` is the image that is taken alone now."""
        self._image_id = image_id
        self._since = time.monotonic()

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

    def _keep(self) -> None:
        renewal = self._lease_seconds / RENEWALS_A_LEASE
        due = time.monotonic() + renewal
        while not self._ended.wait(min(renewal, self._image_seconds) / 4):
            if time.monotonic() - self._since > self._image_seconds:
                self._end_this_process()
            if time.monotonic() >= due:
                due = time.monotonic() + renewal
                self._renew()

    def _renew(self) -> None:
        try:
            with self._database.writing() as session:
                renew(session, self._held, self._lease_seconds)
        except LeaseLost:
            self._ended.set()  # the batch's commit will find the same and write nothing
        except ServiceUnavailable:
            pass  # the next renewal tries again; meanwhile the lease may run out, which is safe

    def _end_this_process(self) -> None:
        log = structlog.get_logger()
        log.error(
            "an image took too long; this worker process ends itself", batch=self._held.batch_id, image=self._image_id
        )
        if self._image_id is not None:
            try:
                with self._database.writing() as session:
                    note_stall(session, self._held, self._image_id, f"took longer than {self._image_seconds:g} s")
            except (LeaseLost, ServiceUnavailable):
                pass
        os.kill(os.getpid(), signal.SIGKILL)
