"""One screening from start to end: open, fill, read, watch. Prints nothing; `Watcher` sees it all."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from producer.ingest import WalkOrder, WalkReport, fill_run
from producer.linked_roots import allowed_roots, check_not_links_alone
from producer.time_limited_calls import answered
from producer.walk import is_empty
from schemas.alarms import AlarmKind
from schemas.errors import (
    EXIT_UNSAFE,
    EXIT_USAGE,
    MachineUnfit,
    RootEmptied,
    RootUnavailable,
    UsageError,
    WetreadError,
)
from schemas.states import RunState
from screening.doorbell import Doorbell
from screening.end_signals import AskedToEnd, longer_ending
from screening.leave_run import leave_run, with_drift
from screening.look_times import LookTimes
from screening.order import Look, RunOrder
from screening.readers import Readers
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.images.places import root_paths
from wetread.store.images.recording import RunToFill
from wetread.store.roots.adding import resolved_roots, root_ids
from wetread.store.runs.accounts import RunAccount, run_account
from wetread.store.runs.lifecycle import OpenedRun, open_run, set_state, take_walk, walk_rules_of
from worker.child import ChildTask
from worker.cores import CoreShare
from worker.identity import died_here, walker_id
from worker.pool import END_SECONDS, EmbeddedPool
from worker.waiting import WORTH_WAITING, Patience, run_is_gone

LOOK_SECONDS = 0.2
"""Seconds between two looks at the readers."""

WALK_LOOK_SECONDS = 2.0
"""Seconds between two looks whether someone still walks the run."""

INTERRUPTED = (RunState.INTERRUPTED, "interrupted; the same command continues")


@dataclass(slots=True)
class Screening:
    """A run that this command has opened, and the run that shadows it, if one does.

    left_as: tells what the run becomes, and its note, when it is asked to end; None leaves it alone.
    emptied_is: what becomes of it when a root holds no file where films were.
    """

    database: Database
    settings: Settings
    order: RunOrder
    roots: dict[int, bytes]
    allowed: dict[int, bytes]
    opened: OpenedRun
    me: str
    shadow: OpenedRun | None = None
    asked_to_end: threading.Event = field(default_factory=threading.Event)
    left_as: Callable[[], tuple[RunState, str] | None] = lambda: INTERRUPTED
    emptied_is: RunState = RunState.PAUSED
    report: WalkReport | None = None
    _stop: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def open(
        cls, database: Database, settings: Settings, order: RunOrder, asked_to_end: threading.Event | None = None
    ) -> Screening:
        """Check the directories and open the run, new or resumed; raise UsageError for one that can give no film.

        That is one that is missing or empty, or holds links alone that are not to be followed.
        asked_to_end: set from outside, it interrupts the reading.
        """
        patience = settings.image_seconds
        paths = answered(partial(resolved_roots, order.directories), patience)
        for path in paths:
            if answered(partial(is_empty, path), patience):
                raise UsageError(f"expected films in {os.fsdecode(path)!r}, found an empty directory; is it mounted?")
        check_not_links_alone(paths, order.rules, patience)
        with database.writing() as session:
            ids = root_ids(session, paths, settings.root_map)
        return cls.of_roots(database, settings, order, ids, asked_to_end or threading.Event())

    @classmethod
    def of_roots(
        cls,
        database: Database,
        settings: Settings,
        order: RunOrder,
        ids: Sequence[int],
        asked_to_end: threading.Event,
        on_opened: Callable[[Any, int], None] | None = None,
    ) -> Screening:
        """Open the run of known roots, whatever they hold now; on_opened is told its number in the same transaction."""
        me, rules = walker_id(), order.rules
        with database.writing() as session:  # of its own: roots are made before anything else is locked
            rules = rules if order.run is None else walk_rules_of(session, order.run)
            allowed = allowed_roots(session, rules, settings.root_map)
        with database.writing() as session:
            roots = root_paths(session, ids)
            root_ids(session, list(roots.values()), settings.root_map)  # locks them: one of two commands makes the run
            new = partial(open_run, engine=order.engine, force=order.force, rules=rules, accepted=order.accepted)
            begin = partial(new, walker=me, dead=died_here)
            opened, shadow = begin(session, ids, order.model_digest, run_id=order.run), None
            if order.shadow_digest is not None:
                shadow = begin(session, ids, order.shadow_digest, shadow_of=opened.id)
            if on_opened is not None:
                on_opened(session, opened.id)
        return cls(database, settings, replace(order, rules=rules), roots, allowed, opened, me, shadow, asked_to_end)

    def account(self) -> RunAccount:
        """Return the run's accounts now."""
        with self.database.reading() as session:
            return run_account(session, self.opened.id)

    def fill(self) -> None:
        """Walk the roots and record what they hold; pause the run when a root is gone."""
        order, size = self.order, self.settings.batch_size
        new = partial(RunToFill, walker=self.me, force=order.force, batch_size=size, accepted=order.accepted)
        runs = [new(self.opened.id, model_digest=order.model_digest)] if self.opened.walks else []
        if self.shadow is not None and self.shadow.walks and order.shadow_digest is not None:
            runs += [new(self.shadow.id, model_digest=order.shadow_digest, beside=self.opened.id)]
        if not runs:
            return
        run, *shadows = runs
        walk = WalkOrder(order.rules, self.settings.own_paths, self.allowed, self.settings.image_seconds)
        try:
            self.report = fill_run(self.database, run, self.roots, *shadows, order=walk, stop=self._stop)
        except RootUnavailable as error:
            emptied = isinstance(error, RootEmptied)
            state = self.emptied_is if emptied else RunState.PAUSED
            kind = AlarmKind.NOTHING_FOUND if emptied else AlarmKind.ROOT_NOT_REACHED
            for each in runs:
                with self.database.writing() as session:
                    set_state(session, each.id, state, str(error), kind)
            raise

    def read_here(self, look: Look, share: CoreShare | None = None) -> RunAccount:
        """Have the run read by worker processes of our own, and return its last accounts.

        share: of the cores, where other runs are read here too. Raises AskedToEnd where `asked_to_end` was set before.
        """
        order, shadow = self.order, None
        if self.shadow is not None and order.shadow_digest is not None:
            shadow = (self.shadow.id, order.shadow_digest)
        task = ChildTask(self.opened.id, order.model_digest, order.engine, self.settings, shadow)
        return self._run(EmbeddedPool(self.database, task, self.order.workers, share), look)

    def read_by_workers(self, look: Look) -> RunAccount:
        """Have the run read by workers behind the broker, and return its last accounts; raise AskedToEnd as above."""
        return self._run(Doorbell(self.database, self.settings), look)

    def interrupt(self) -> None:
        """Leave the run so that the same command continues it."""
        self._stop.set()
        if (left := self.left_as()) is not None:
            self._leave(*left)

    def _run(self, readers: Readers, look: Look) -> RunAccount:
        with self._filling() as filling:
            patience, times = Patience(), LookTimes()
            try:
                readers.start()
                while True:
                    account = self._watch(readers, patience, times)
                    if self.asked_to_end.is_set():
                        raise AskedToEnd
                    if account is None:
                        continue
                    look(account)
                    if filling.done():
                        filling.result()
                    if account.state != RunState.RUNNING:
                        if account.state == RunState.FINISHED and (left := self._shadow_left()) is not None:
                            look(left)
                            continue
                        self._leave_shadow(
                            RunState.INTERRUPTED, f"run {account.id}, which it shadows, is {account.state}"
                        )
                        return with_drift(self.database, account)
            except (KeyboardInterrupt, AskedToEnd):
                self.interrupt()
                raise
            except WetreadError as error:
                # With these a process of ours says that it cannot load engine or model.
                lacks = error.exit_code in (EXIT_USAGE, EXIT_UNSAFE)
                state = RunState.PAUSED if isinstance(error, MachineUnfit) else RunState.INTERRUPTED
                self._leave(state, str(error), AlarmKind.NOT_LOADED if lacks else None)
                raise
            finally:
                self._stop.set()
                with longer_ending(END_SECONDS):  # for the batches in hand
                    readers.stop()

    def _watch(self, readers: Readers, patience: Patience, times: LookTimes) -> RunAccount | None:
        """Return the accounts after a moment with the readers; None between two looks, or without the database."""
        account = missed = None
        try:
            readers.watch(LOOK_SECONDS)
        except WORTH_WAITING as error:
            missed = error
        try:
            if missed is not None or times.due():
                account = self.account()
                times.looked(account)
        except WORTH_WAITING as error:
            missed = error
        except UsageError as error:
            missed = run_is_gone(self.opened.id, error)
        if missed is None:
            patience.back()
        else:
            patience.away(missed)
            time.sleep(LOOK_SECONDS)
        return account

    def _shadow_left(self) -> RunAccount | None:
        """Return the accounts of the shadow while it still reads; its model may have more to read than the run's."""
        if self.shadow is None:
            return None
        with self.database.reading() as session:
            account = run_account(session, self.shadow.id)
        return account if account.state == RunState.RUNNING else None

    def _leave(self, as_state: RunState, why: str, trouble: AlarmKind | None = None) -> None:
        """Say on the run and on its shadow why this command left them."""
        leave_run(self.database, self.opened.id, as_state, why, trouble)
        self._leave_shadow(as_state, why, trouble)

    def _leave_shadow(self, as_state: RunState, why: str, trouble: AlarmKind | None = None) -> None:
        if self.shadow is not None:
            leave_run(self.database, self.shadow.id, as_state, why, trouble)

    def see_to_the_walk(self, *, once: bool = False) -> None:
        """Walk, or take the walk over from a command that died in it: without its end the run has none.

        A walk that the database left us alone in begins anew: it may or may not have written the last files.
        """
        patience, begun = Patience(), False
        while True:
            try:
                if begun:
                    self._take_walk()
                begun = True
                self.fill()
                patience.back()
                if once:
                    return
            except RootUnavailable:
                raise
            except WORTH_WAITING as error:
                patience.away(error)
            if self._stop.wait(WALK_LOOK_SECONDS):
                return

    def _take_walk(self) -> None:
        """Make the walk ours if nobody is in it: whoever died, or we, who come to this only when we are not walking."""
        self.opened = self._taken(self.opened)
        if self.shadow is not None:
            self.shadow = self._taken(self.shadow)

    def _taken(self, opened: OpenedRun) -> OpenedRun:
        with self.database.writing() as session:
            ours = take_walk(session, opened.id, self.me, lambda walker: walker == self.me or died_here(walker))
        return replace(opened, walks=ours)

    @contextmanager
    def _filling(self) -> Iterator[Future[None]]:
        """Walk in a thread beside the readers, so that the first films are read while the last are found."""
        with ThreadPoolExecutor(1, thread_name_prefix="walk") as thread:
            try:
                yield thread.submit(self.see_to_the_walk)
            finally:
                self._stop.set()
