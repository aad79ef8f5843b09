"""The run that a watch fills, and its companion run where a second model reads along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from schemas.alarms import AlarmKind
from schemas.errors import UsageError
from schemas.films import ACCEPTED, Accepted
from schemas.states import RunKind, RunState
from schemas.walk_rules import WalkRules
from screening.doorbell import Doorbell
from screening.readers import Readers
from screening.watch_order import WatchOrder
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.core.image_set import ImageSet
from wetread.store.images.recording import FoundFile, RunToFill, record_files
from wetread.store.runs.accounts import run_account
from wetread.store.runs.lifecycle import OpenedRun, end_walk, open_run, renew_walk, set_state
from wetread.store.runs.watched_films import changed_since_read, try_again
from worker.child import ChildTask
from worker.identity import died_here, worker_id
from worker.pool import EmbeddedPool


@dataclass(frozen=True, slots=True)
class WatchedFiles:
    """What became of some files. changed: those that the run has read as they were. lost: the run is not ours."""

    changed: set[FoundFile]
    lost: bool


@dataclass(frozen=True, slots=True)
class WatchRuns:
    """The runs of a day. created_at: of the first; resumed: it was there already."""

    run: RunToFill
    shadow: RunToFill | None
    created_at: datetime
    resumed: bool
    _skipped: ImageSet = field(default_factory=ImageSet)
    _skipped_by_shadow: ImageSet = field(default_factory=ImageSet)

    def readers(self, database: Database, settings: Settings, order: WatchOrder) -> Readers:
        """Return what reads these runs: worker processes of our own, or with a broker the workers behind it."""
        if settings.broker is not None:
            return Doorbell(database, settings)
        beside = None if self.shadow is None else (self.shadow.id, self.shadow.model_digest)
        task = ChildTask(self.run.id, self.run.model_digest, order.engine, settings, beside)
        return EmbeddedPool(database, task, order.workers)

    @classmethod
    def open(
        cls,
        session: Any,
        roots: Sequence[int],
        models: tuple[str, str | None],
        engine: str,
        batch_size: int,
        rules: WalkRules | None = None,
        accepted: Accepted = ACCEPTED,
    ) -> WatchRuns:
        """Open the runs of these roots by a model and its shadow (digests), or continue runs that were left.

        Raises UsageError when another process fills the run.
        """
        me, (model, beside) = worker_id(), models

        def begin(digest: str, kind: RunKind, shadow_of: int | None) -> OpenedRun:
            return open_run(
                session, roots, digest, engine, force=False, walker=me,
                dead=lambda walker: walker == me or died_here(walker), kind=kind, shadow_of=shadow_of,
                rules=rules,
                accepted=accepted,
            )  # fmt: skip

        opened = begin(model, RunKind.WATCH, None)
        if not opened.walks:
            raise UsageError(f"expected nobody to watch these directories, found a watch that fills run {opened.id}")
        shadow = None
        if beside is not None and (along := begin(beside, RunKind.SHADOW, opened.id)).walks:
            shadow = RunToFill(along.id, me, beside, False, batch_size, beside=opened.id, accepted=accepted)
        created = run_account(session, opened.id).created_at
        return cls(
            RunToFill(opened.id, me, model, False, batch_size, accepted=accepted), shadow, created, opened.resumed
        )

    @property
    def each(self) -> list[RunToFill]:
        """Return the run, and its shadow if it has one."""
        return [self.run] if self.shadow is None else [self.run, self.shadow]

    def record(self, session: Any, root_id: int, files: Sequence[FoundFile], *, again: bool) -> WatchedFiles:
        """Record `files` for the run and its shadow, without those that changed after the run had read them.

        again: those that the world kept from being read are tried again. A shadow that was ended or paused meanwhile
        is passed over, and stays so: to try again would set it running.
        """
        changed = set(changed_since_read(session, self.run.id, root_id, files))
        unread = [file for file in files if file not in changed]
        if record_files(session, self.run, root_id, unread, self._skipped).run_ended:
            return WatchedFiles(changed, lost=True)
        filled, shadow = [self.run], self.shadow
        if shadow is not None:
            beside = record_files(session, shadow, root_id, unread, self._skipped_by_shadow)
            filled += [] if beside.run_ended else [shadow]
        for each in filled if again else ():
            try_again(session, each.id, root_id, unread, batch_size=each.batch_size)
        return WatchedFiles(changed, lost=False)

    def pending(self, session: Any) -> int:
        """Return how many images the two have left to read."""
        return sum(run_account(session, each.id).pending for each in self.each)

    def renew(self, session: Any) -> None:
        """Say that this process still fills them."""
        for each in self.each:
            renew_walk(session, each.id, each.walker)

    def shadow_reads(self, session: Any) -> bool:
        """Return whether the shadow is running, and has images left to read."""
        if self.shadow is None:
            return False
        account = run_account(session, self.shadow.id)
        return account.state == RunState.RUNNING and account.pending > 0

    def end(self, session: Any) -> None:
        """Say that all their files were found. A shadow that has some left to read is left to whoever goes on with it.

        The next day's shadow by its model does.
        """
        if self.shadow is not None and self.shadow_reads(session):
            why = f"run {self.run.id}, which it shadows, is over; it goes on beside the next"
            set_state(session, self.shadow.id, RunState.INTERRUPTED, why)
        for each in self.each:
            end_walk(session, each.id, walker=each.walker)

    def leave(self, session: Any, state: RunState, note: str, trouble: AlarmKind | None = None) -> None:
        """Leave them, where they are unfinished, to whoever goes on with them. trouble: of what kind the note is."""
        for each in self.each:
            set_state(session, each.id, state, note, trouble)
