"""Runs a watch: records new files under some roots in small batches and has them read; one run a day.

A first walk finds what lay there before, while what happens meanwhile is listened for; later walks find what the kernel
did not tell. A file belongs to the run of the day on which it was found; one that changes after its run has read it
begins a new run, and waits longer the more often it changes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import structlog

from producer.changes import Changes, file_at
from producer.excluded import excluded_by
from producer.film_backoff import ChangedAgain, TryingAgain
from producer.stable_files import MicroBatch, StillFiles
from producer.time_limited_calls import answered
from schemas.alarms import AlarmKind
from schemas.errors import RootUnavailable, UsageError, WetreadError
from schemas.reasons import WORLD_REASONS
from schemas.states import RunState
from screening.end_signals import longer_ending
from screening.order import Look
from screening.readers import Readers
from screening.watch_order import WatchOrder
from screening.watch_runs import WatchRuns
from screening.watch_states import (
    Closing,
    Ended,
    Opened,
    Opening,
    Paused,
    RootsAnswered,
    Seen,
    ShadowSeen,
    State,
    is_hindered,
    step,
)
from screening.watch_walk import SLICE_FILES, SLICE_SECONDS, Found, Walks, watch_walk
from wetread.clock import utc_now
from wetread.imaging.files import check_root
from wetread.report.run_drift import keep_drift
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.images.recording import FoundFile
from wetread.store.runs.accounts import RunAccount, run_account
from wetread.store.runs.watched_films import count_unknown
from worker.pool import END_SECONDS
from worker.waiting import WORTH_WAITING, Patience

RENEW_SECONDS = 15.0
"""Seconds between two signs that we still fill the run."""


@dataclass(slots=True)
class Watching:
    """The watch of one process, until `asked` is set. clock: tells the day, for tests."""

    database: Database
    settings: Settings
    order: WatchOrder
    asked: threading.Event
    look: Look
    clock: Callable[[], datetime] = utc_now
    not_taken: int = 0
    """Files that no run has as they are at the end of the watch: they do not stand still, or changed since."""
    walks: Walks = field(init=False)
    _state: State = field(default_factory=Opening)
    _runs: WatchRuns = field(init=False)
    _readers: Readers = field(init=False)
    _changes: Changes | None = None
    _still: StillFiles = field(init=False)
    _batch: MicroBatch = field(init=False)
    _changed: ChangedAgain = field(default_factory=ChangedAgain)
    _again: TryingAgain = field(init=False)
    _failed: int = 0
    _tries_again: bool = False
    _next_sign: float = 0.0

    def watch(self) -> RunAccount:
        """Watch until asked to end, or until the run is ended by someone else; return the last run's accounts.

        Raises RootUnavailable when a root is gone for a minute, and UsageError when another process watches the same
        roots.
        """
        self._still = StillFiles(self.order.settle_seconds)
        self._batch = MicroBatch(self.settings.batch_size, self.order.age)
        self._again = TryingAgain(self.order.walk_seconds)
        self.walks = Walks(
            lambda: watch_walk(self.database, self.settings, self.order, self._runs), self.order.walk_seconds
        )
        self._changes = self._listening()
        patience = Patience()
        self._open()
        try:
            while not self.asked.is_set():
                try:
                    account = self._go_on()
                    if account.state == RunState.PAUSED:
                        raise RootUnavailable(account.note or "expected to read the archive, found the run paused")
                    if not is_hindered(self._state):
                        patience.back()
                except WORTH_WAITING as error:
                    self.walks.anew()
                    patience.away(error)
                    time.sleep(SLICE_SECONDS)
                    continue
                if isinstance(self._state, Ended):
                    return account
        except RootUnavailable as error:
            with self.database.writing() as session:
                self._runs.leave(session, RunState.PAUSED, str(error), AlarmKind.ROOT_NOT_REACHED)
            raise
        finally:
            with longer_ending(END_SECONDS):
                self._readers.stop()
        return self._left()

    def _listening(self) -> Changes | None:
        if not self.order.listens:
            return None
        try:
            return Changes(self.order.roots, self.settings.own_paths, excluded_by(self.order.rules.exclude))
        except (OSError, RuntimeError) as error:
            structlog.get_logger().warning(
                "the kernel tells no news of so many directories; walking instead: raise fs.inotify.max_user_watches",
                why=type(error).__name__,
            )
            return None

    def _open(self) -> None:
        """Open the day's run, or continue a run that was left, and have it read."""
        models, size = self.order.models(), self.settings.batch_size
        with self.database.writing() as session:
            runs = WatchRuns.open(
                session, list(self.order.roots), models, self.order.engine, size, self.order.rules, self.order.accepted
            )
        self._runs = runs
        self.walks.anew()
        now = time.monotonic()
        for key in self._changed.take(now):
            self._still.note(key, now)
        self._readers = runs.readers(self.database, self.settings, self.order)
        self._readers.start()
        day = (runs.created_at if runs.resumed else self.clock()).astimezone().toordinal()
        self._state = step(self._state, Opened(day), now)

    def _go_on(self) -> RunAccount:
        """Take one step of the watch, and return the run's accounts."""
        if isinstance(self._state, Paused):
            self._check_roots()
            self._state = step(self._state, RootsAnswered(), time.monotonic())
        if isinstance(self._state, Opening):
            self._readers.stop()
            self._open()
        if self._changes is not None:
            for key in self._changes.wait():
                self._still.note(key, time.monotonic())
        self._readers.watch(0.0 if self._changes is not None else SLICE_SECONDS)
        self._go_on_walking()
        now = time.monotonic()
        self._batch.add(self._still.ready(now, lambda key: file_at(self.order.every_root, key)), now)
        account = self._account()
        files = self._batch.take(now, idle=account.pending == 0)
        try:
            self._record(files)
        except WetreadError:
            self._batch.add(files, now)
            raise
        if now >= self._next_sign:
            self._next_sign = now + RENEW_SECONDS
            with self.database.writing() as session:
                self._runs.renew(session)
        self.look(account)
        self._see(account, now, at_rest=not self.walks.is_under_way and not files)
        return account

    def _see(self, account: RunAccount, now: float, *, at_rest: bool) -> None:
        """Take the state that follows from the accounts; end the run that is over, and open the next."""
        today = self.clock().astimezone().toordinal()
        seen = Seen(account.state, account.settled, account.pending, today, at_rest, self._changed.is_due(now))
        self._state = step(self._state, seen, now)
        if not (isinstance(self._state, Closing) and seen.quiet):
            return
        with self.database.reading() as session:
            reads = self._runs.shadow_reads(session)
        self._state = step(self._state, ShadowSeen(reads), now)
        if isinstance(self._state, Opening):
            self._begin_anew()

    def _check_roots(self) -> None:
        """Raise RootUnavailable while a root is gone, or holds nothing."""
        for path in self.order.roots.values():
            answered(partial(check_root, path, must_hold_entries=True), self.settings.image_seconds)

    def _begin_anew(self) -> None:
        """End the run, and open the next; where that fails it is to be opened, and its end is not the watch's."""
        with self.database.writing() as session:
            self._runs.end(session)
        keep_drift(self.database, self._runs.run.id)
        self._readers.stop()
        self._open()

    def _go_on_walking(self) -> None:
        """Walk for a moment, where a walk is due or under way."""
        now = time.monotonic()
        if self._changes is not None and self._changes.lost:
            self._changes.lost = False
            self.walks.soon(now)
        if self.walks.begin_if_due(now):
            self._tries_again = self._again.is_due(self._failed, now)
        if self.walks.is_under_way:
            resting = self.walks.some(now, lambda key: self._still.note(key, now))
            self._record(resting, again=self._tries_again)

    def _record(self, files: Sequence[Found], *, again: bool = True) -> None:
        for root in {root for root, _ in files}:
            of_root = [file for other, file in files if other == root]
            for start in range(0, len(of_root), SLICE_FILES):
                self._record_slice(root, of_root[start : start + SLICE_FILES], again=again and self._failed > 0)

    def _record_slice(self, root: int, files: Sequence[FoundFile], *, again: bool) -> None:
        with self.database.writing() as session:
            recorded = self._runs.record(session, root, files, again=again)
        if recorded.lost and self._account().state == RunState.RUNNING:
            raise UsageError(
                f"expected to fill run {self._runs.run.id} alone, found another watch of these directories that "
                "does; this one was silent for too long, and ends: leave the other, or start this one again once "
                "that has ended"
            )
        for file in recorded.changed:
            self._changed.note((root, file.path), time.monotonic())

    def _account(self) -> RunAccount:
        with self.database.reading() as session:
            account = run_account(session, self._runs.run.id)
        self._failed = sum(account.rejected_reasons.get(reason, 0) for reason in WORLD_REASONS)
        return account

    def _count_not_taken(self) -> int:
        waiting = {*self._still.waiting(), *self._batch.waiting(), *self._changed.waiting()}
        found = [(key[0], file) for key in waiting if (file := file_at(self.order.every_root, key)) is not None]
        with self.database.reading() as session:
            return sum(
                count_unknown(session, root, [file for other, file in found if other == root])
                for root in {root for root, _ in found}
            )

    def _left(self) -> RunAccount:
        """End the run where nothing is left of it; otherwise leave it to the next watch."""
        self.not_taken = self._count_not_taken()
        with self.database.writing() as session:
            whole = self.walks.is_whole and self.not_taken == 0
            if whole and self._runs.pending(session) == 0:
                self._runs.end(session)
            else:
                self._runs.leave(session, RunState.INTERRUPTED, "interrupted; the same command goes on")
        return self._account()
