"""Records films that are in their place: those that wait together in one transaction, by one thread.

So ten associations cost the database one commit, and a receiver one connection. A film counts as received when its
directory is synced and its row committed.
"""

from __future__ import annotations

import os
import queue
import threading
from dataclasses import dataclass, field

from gateway.receiving.readiness import Standing
from gateway.receiving.spool import Spool, sync_directory
from schemas.errors import WetreadError
from wetread.store.core.database import Database
from wetread.store.received.received_films import ReceivedFilm, note_received
from wetread.supervised_threads import LastingThread, say_missed

TOGETHER = 64
"""Films in one transaction at most."""


@dataclass(slots=True)
class _Waiting:
    film: ReceivedFilm
    settled: threading.Event = field(default_factory=threading.Event)
    recorded: bool = False


class Committer:
    """Records films for one root. seconds: how long whoever hands one over waits for it."""

    def __init__(self, database: Database, spool: Spool, root_id: int, standing: Standing, seconds: float) -> None:
        self._database, self._spool, self._root_id = database, spool, root_id
        self._standing, self._seconds = standing, seconds
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()

    def start(self) -> None:
        """Begin to serve, until `end` or for as long as the process lives."""
        LastingThread(self._serve, "committer").start()

    def end(self) -> None:
        """Serve no more; nobody may wait for a film to be recorded, or hand one over."""
        self._queue.put(None)

    def commit(self, film: ReceivedFilm) -> bool:
        """Return whether `film` is recorded. False promises nothing: it may be recorded yet, and is no film lost."""
        waiting = _Waiting(film)
        self._queue.put(waiting)
        return waiting.settled.wait(self._seconds) and waiting.recorded

    def _serve(self) -> None:
        while (first := self._queue.get()) is not None:
            together = [first]
            while len(together) < TOGETHER:
                try:
                    another = self._queue.get_nowait()
                except queue.Empty:
                    break
                if another is None:
                    return
                together.append(another)
            self.record(together)

    def record(self, together: list[_Waiting]) -> None:
        """Record these, and wake who waits for them."""
        try:
            for folder in {os.path.dirname(one.film.path) for one in together if one.film.path is not None}:
                sync_directory(os.path.join(self._spool.films, folder))
            with self._database.writing() as session:
                note_received(session, self._root_id, [one.film for one in together])
        except (OSError, WetreadError) as error:
            say_missed("films could not be recorded; their senders are told to try again", error)
            self._standing.database_failed()
        else:
            for one in together:
                one.recorded = True
        finally:
            for one in together:
                if one.film.path is not None:
                    self._spool.settle(one.film.path)
                one.settled.set()
