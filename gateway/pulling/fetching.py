"""Fetches what was written down: several connections, at a pace, each instance tried a few times, and settled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field

from gateway.calling.patience import CallPatience
from gateway.pulling.fetched_films import Door
from gateway.pulling.fetchers import Fetcher, FetchOutcome
from schemas.errors import PeerAway, WetreadError
from schemas.states import PulledState
from wetread.store.core.database import Database
from wetread.store.received.pulls import PendingInstance, pending_instances, settle_instance

SLICE = 500
IN_A_ROW = 8
"""Instances that may fail one after the other, none of them received between, before the peer counts as away."""

LOOK_SECONDS = 0.5


class FetchPace:
    """So many films a minute at most, by all threads together."""

    def __init__(self, films_a_minute: float | None) -> None:
        self._between = 0.0 if films_a_minute is None else 60.0 / films_a_minute
        self._lock = threading.Lock()
        self._next = 0.0

    def keep(self, patience: CallPatience) -> None:
        """Wait for the next moment at which one may be fetched; raise AskedToStop when asked to end."""
        with self._lock:
            now = time.monotonic()
            at = max(now, self._next)
            self._next = at + self._between
        patience.rest(at - now) if at > now else patience.check()


@dataclass(slots=True)
class Fetching:
    """Fetches for one pull. fetcher: makes one for each thread; fetched: told after each round."""

    database: Database
    pull_id: int
    fetcher: Callable[[], Fetcher]
    door: Door
    patience: CallPatience
    pace: FetchPace
    connections: int
    fetched: Callable[[], object]
    _local: threading.local = field(default_factory=threading.local)
    _made: list[Fetcher] = field(default_factory=list)
    _failed_in_a_row: int = 0

    def fetch(self) -> None:
        """Fetch all that is pending. Raises PeerAway, ServiceUnavailable or AskedToStop; what is settled stays so."""
        waiting: dict[Future[FetchOutcome], PendingInstance] = {}
        more = self._pending()
        executor = ThreadPoolExecutor(self.connections, thread_name_prefix="fetch")
        try:
            while True:
                self.patience.check()
                self.door.look()  # before any is fetched: asking may have taken minutes since the last look
                while len(waiting) < 2 * self.connections and (one := next(more, None)) is not None:
                    waiting[executor.submit(self._fetched, one)] = one
                if not waiting:
                    return
                done, _ = wait(waiting, LOOK_SECONDS, FIRST_COMPLETED)
                self._settle([(waiting.pop(future), future) for future in done])
                self.fetched()
        finally:
            executor.shutdown(wait=True, cancel_futures=True)
            self._settle_quietly(waiting)
            for fetcher in self._made:
                fetcher.close()

    def _pending(self) -> Iterator[PendingInstance]:
        after = 0
        while True:
            with self.database.reading() as session:
                found = pending_instances(session, self.pull_id, after, SLICE)
            if not found:
                return
            yield from found
            after = found[-1].id

    def _fetched(self, wanted: PendingInstance) -> FetchOutcome:
        self.pace.keep(self.patience)
        fetcher = getattr(self._local, "fetcher", None)
        if fetcher is None:
            fetcher = self._local.fetcher = self.fetcher()
            self._made.append(fetcher)
        try:
            return self.patience.tried(lambda: fetcher.fetch(wanted))
        except PeerAway as error:
            return FetchOutcome(PulledState.FAILED, str(error.__cause__ or error))

    def _settle(self, done: list[tuple[PendingInstance, Future[FetchOutcome]]]) -> None:
        outcomes = [(one, future.result()) for one, future in done]
        with self.database.writing() as session:
            for one, outcome in outcomes:
                settle_instance(session, self.pull_id, one.id, outcome.state, outcome.why)
        for _, outcome in outcomes:
            self._failed_in_a_row = self._failed_in_a_row + 1 if outcome.state == PulledState.FAILED else 0
        if self._failed_in_a_row >= IN_A_ROW:
            why = outcomes[-1][1].why
            raise PeerAway(
                f"expected films, found that {self._failed_in_a_row} in a row could not be fetched, the last one: "
                f"{why}; the same command goes on later"
            )

    def _settle_quietly(self, waiting: dict[Future[FetchOutcome], PendingInstance]) -> None:
        """Settle what threads have fetched meanwhile; what is left out is found in the spool by the next command."""
        finished = [
            (one, future)
            for future, one in waiting.items()
            if future.done() and not future.cancelled() and future.exception() is None
        ]
        received = [(one, future) for one, future in finished if future.result().state == PulledState.RECEIVED]
        with suppress(WetreadError), self.database.writing() as session:  # another error may be on its way
            for one, future in received:
                settle_instance(session, self.pull_id, one.id, future.result().state, None)
