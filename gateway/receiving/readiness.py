"""Whether films can be taken now: there is room on the disk, and the database answers. And who may send them.

A thread looks once a second, so that no peer waits for a database that hangs; what fails meanwhile is noted at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

from gateway.receiving.spool import Spool
from schemas.errors import WetreadError
from wetread.store.core.database import Database
from wetread.store.received.peers import Peer, list_peers
from wetread.store.received.received_films import try_writing
from wetread.supervised_threads import LastingThread, say_missed

LOOK_SECONDS = 1.0
SILENT_SECONDS = 15.0
"""A look that takes longer counts as a database that is away."""

Refusal = Literal["disk", "database"]


@dataclass(frozen=True, slots=True)
class Watermark:
    """Below which films are refused: bytes free, and their share of the disk."""

    free_bytes: int = 5 * 1000**3
    free_share: float = 0.05


class Standing:
    """What the last look found."""

    def __init__(self, database: Database, spool: Spool, watermark: Watermark) -> None:
        self._database, self._spool, self._watermark = database, spool, watermark
        self._peers: Sequence[Peer] = ()
        self._answered_at = float("-inf")
        self._failed = threading.Event()
        self._said: Refusal | None = None
        self._full_until = float("-inf")

    def start(self) -> None:
        """Look, and go on looking for as long as the process lives."""
        self.look()
        LastingThread(self._watch, "standing").start()

    @property
    def peers(self) -> Sequence[Peer]:
        """Return who may send, as the last look found them."""
        return self._peers

    def refusal(self) -> Refusal | None:
        """Return why no film is taken now; None where one is."""
        if self._is_full():
            return "disk"
        away = self._failed.is_set() or time.monotonic() - self._answered_at > SILENT_SECONDS
        return "database" if away else None

    def disk_was_full(self) -> None:
        """Note that a write found no room; for a moment nothing more is tried."""
        self._full_until = time.monotonic() + LOOK_SECONDS

    def database_failed(self) -> None:
        """Note that a transaction failed; until one goes through, films are refused."""
        self._failed.set()

    def look(self) -> None:
        """Ask the database for the peers; after a fault, whether it takes writes too."""
        try:
            if self._failed.is_set():
                with self._database.writing() as session:
                    try_writing(session)
            with self._database.reading() as session:
                self._peers = list_peers(session)
        except WetreadError as error:
            if not self._failed.is_set():
                say_missed("the database is away; films are refused until it is back", error)
            self._failed.set()
        else:
            self._failed.clear()
            self._answered_at = time.monotonic()

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            self.look()
            if (why := self.refusal()) != self._said:
                self._said = why
                structlog.get_logger().warning(
                    "films are taken again" if why is None else "films are refused until that is mended", why=why
                )

    def _is_full(self) -> bool:
        if time.monotonic() < self._full_until:
            return True
        try:
            free, share = self._spool.free()
        except OSError:
            return True
        return free < self._watermark.free_bytes or share < self._watermark.free_share
