"""What was received becomes images of one run a day, at once, and is read. Prints nothing.

The receiver is a process of its own: that reading is hindered, for want of a model, a worker or memory, keeps no film
from being received. What waits then is taken when reading goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import structlog

from gateway.receiving.receiver import END_SECONDS as RECEIVER_SECONDS
from schemas.errors import DatabaseReplaced, WetreadError
from schemas.states import RunState
from screening.end_signals import longer_ending
from screening.order import Look
from screening.readers import Readers
from screening.watch_order import WatchOrder
from screening.watch_runs import WatchRuns
from wetread.clock import utc_now
from wetread.report.run_drift import keep_drift
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.received.received_films import is_any_waiting, note_taken, waiting_films
from wetread.store.runs.accounts import RunAccount, run_account
from worker.pool import END_SECONDS

SLICE_SECONDS = 0.2
"""Seconds between two looks."""

MOST_FILMS = 2048
"""Taken in one transaction at most."""

RENEW_SECONDS = 15.0
"""Seconds between two signs that we still fill the run."""

AGAIN_SECONDS = 5.0
"""Seconds from a fault to the next try."""


def take(session: Any, runs: WatchRuns, root_id: int, most: int = MOST_FILMS) -> int | None:
    """Record the films of a spool that wait in a day's run; return how many, None where the run is not ours any more.

    In one transaction: a film is taken, and in the run, or neither.
    """
    waiting = waiting_films(session, root_id, most)
    if not waiting:
        return 0
    recorded = runs.record(session, root_id, [film.file for film in waiting], again=False)
    if recorded.lost:
        return None
    taken = [film.id for film in waiting if film.file not in recorded.changed]
    note_taken(session, root_id, runs.run.id, taken)
    return len(taken)


INTERRUPTED = "interrupted; the same command goes on"


class Keeping(Protocol):
    """Keeps what brings the films: a receiver's process, or what fetches them."""

    def start(self) -> None:
        """Start it."""

    def watch(self, seconds: float = 0.0) -> None:
        """Look after it."""

    def stop(self) -> None:
        """End it in order."""


@dataclass(slots=True)
class Listening:
    """Keeps what brings films, and has them read, until `asked` is set, or no more come and all are read.

    alive: called at each round. clock: tells the day, for tests. done: whether no more come. left_as: why there is
    more to come although all is read; None where there is not. on_opened: told of each run, in the transaction that
    opens it.
    """

    database: Database
    settings: Settings
    order: WatchOrder
    keeper: Keeping
    asked: threading.Event
    look: Look
    alive: Callable[[], object]
    clock: Callable[[], datetime] = utc_now
    done: Callable[[], bool] = lambda: False
    left_as: Callable[[], str | None] = lambda: None
    on_opened: Callable[[Any, int], object] = lambda _session, _run: None
    _is_over: bool = False
    _runs: WatchRuns | None = None
    _readers: Readers | None = None
    _day: int = 0
    _oldest: float = field(default_factory=time.monotonic)
    _next_sign: float = 0.0
    _try_at: float = 0.0
    _said: str = ""

    def listen(self) -> RunAccount:
        """Listen until asked to end; return the last run's accounts.

        Raises UsageError where the first run or the receiver cannot begin, and MachineUnfit where receivers die.
        """
        self._open()
        try:
            self.keeper.start()
            while not self.asked.is_set() and not self._is_over:
                self.keeper.watch()
                self.alive()
                if time.monotonic() < self._try_at:
                    self.asked.wait(SLICE_SECONDS)
                    continue
                try:
                    self._step()
                    self._said = ""
                except DatabaseReplaced:
                    raise
                except WetreadError as error:
                    self._hindered(error)
        finally:
            with longer_ending(RECEIVER_SECONDS + END_SECONDS):
                self.keeper.stop()
                self._stop_readers()
        return self._left()

    @property
    def _root(self) -> int:
        return next(iter(self.order.roots))

    def _open(self) -> None:
        """Open the day's run, or go on with the one that was left, and have it read."""
        runs = self._opened()
        self._day = (runs.created_at if runs.resumed else self.clock()).astimezone().toordinal()
        self._readers = runs.readers(self.database, self.settings, self.order)
        self._runs = runs
        self._readers.start()

    def _step(self) -> None:
        """Take what waits, and have it read; begin a new run where the day is over."""
        runs, readers = self._runs, self._readers
        if runs is None or readers is None:
            self._stop_readers()
            self._open()
            return
        readers.watch(SLICE_SECONDS)
        is_done, account = self.done(), self._account(runs)  # in this order: what is done brings no film any more
        self.look(account)
        if account.state != RunState.RUNNING:  # paused by a worker, or ended by a person
            self._runs, self._try_at = None, time.monotonic() + AGAIN_SECONDS
            return
        now = time.monotonic()
        took = False
        if (account.pending == 0 or now - self._oldest > self.order.age) and self._is_any_waiting():
            self._oldest, took = now, True
            with self.database.writing() as session:
                if take(session, runs, self._root) is None:
                    self._runs = None
                    return
        if now >= self._next_sign:
            self._next_sign = now + RENEW_SECONDS
            with self.database.writing() as session:
                runs.renew(session)
        if took:  # the accounts are of before: what was taken is still to be read
            return
        if is_done and account.pending == 0 and not self._is_any_waiting():
            self._is_over = True
        elif account.pending == 0 and self.clock().astimezone().toordinal() != self._day:
            self._end_day(runs)

    def _end_day(self, runs: WatchRuns) -> None:
        with self.database.writing() as session:
            if runs.pending(session):
                return
            runs.end(session)
        self._runs = None
        keep_drift(self.database, runs.run.id)

    def _hindered(self, error: WetreadError) -> None:
        """Say once why nothing is read, and try again in a moment: films are received meanwhile."""
        if str(error) != self._said:
            self._said = str(error)
            structlog.get_logger().warning("films are received and cannot be read now; tried again", why=str(error))
        self._runs, self._try_at = None, time.monotonic() + AGAIN_SECONDS

    def _stop_readers(self) -> None:
        readers, self._readers = self._readers, None
        if readers is not None:
            readers.stop()

    def _is_any_waiting(self) -> bool:
        with self.database.reading() as session:
            return is_any_waiting(session, self._root)

    def _account(self, runs: WatchRuns) -> RunAccount:
        with self.database.reading() as session:
            return run_account(session, runs.run.id)

    def _left(self) -> RunAccount:
        """Take what is left, and leave the run to the next `listen`, or end it where nothing is left of it."""
        runs = self._runs or self._opened()
        with self.database.writing() as session:
            take(session, runs, self._root)
        with self.database.writing() as session:
            why = self.left_as()
            if runs.pending(session) == 0 and why is None:
                runs.end(session)
            else:
                runs.leave(session, RunState.INTERRUPTED if why is None else RunState.PAUSED, why or INTERRUPTED)
        return self._account(runs)

    def _opened(self) -> WatchRuns:
        models, size = self.order.models(), self.settings.batch_size
        with self.database.writing() as session:
            runs = WatchRuns.open(
                session, [self._root], models, self.order.engine, size, self.order.rules, self.order.accepted
            )
            self.on_opened(session, runs.run.id)
            return runs
