"""Processes one batch from claim to settlement: the same code in our own processes and in Celery's.

Whatever happens, the batch ends in one of five ways: settled in one fenced transaction; given back as not tried
(the archive or the model is not there, or the model's readings changed meanwhile); lost to another worker, nothing
written; in doubt, when the database does not answer, and given back before another is taken; or, when this process
dies, left to the lease. A write whose answer was lost is repeated: each of them may be.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

import structlog

from schemas.alarms import AlarmKind
from schemas.errors import (
    ArtefactError,
    EngineFault,
    LeaseLost,
    MachineUnfit,
    ReadingsChanged,
    RootUnavailable,
    UsageError,
    WetreadError,
)
from schemas.states import RunState
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.runs.accounts import run_state
from wetread.store.runs.lifecycle import note_trouble, set_state
from wetread.store.work.death_notes import touched
from wetread.store.work.doubts import take_back
from wetread.store.work.leases import Claim, claim, release
from wetread.store.work.settling import Settled, settle_together
from wetread.store.work.stages import add_stage_seconds
from worker.batches_in_doubt import InDoubt
from worker.failpoints import reach
from worker.heartbeat import BatchInHand
from worker.lease_watchdog import LeaseKeeper
from worker.metering import count_batch, count_expiry, count_films
from worker.model_reading import ModelReading
from worker.models import LoadedModel, ModelShelf
from worker.one_at_a_time import OneAtATime, see_that_something_is_touched
from worker.read_ahead import ReadAhead, Upcoming, no_more
from worker.reading import BatchReader
from worker.stages import CLAIM, SETTLE, Stages
from worker.uncertain_commits import repeated

T = TypeVar("T")


class Ending(StrEnum):
    """How a batch ended here."""

    SETTLED = "settled"
    NOT_FREE = "not free"
    LOST = "lost"
    PAUSED = "paused"
    NO_MODEL = "no model"
    CHANGED = "readings changed"


@dataclass(frozen=True, slots=True)
class BatchWorker:
    """What a worker process has at hand for any batch.

    owner: its id as a worker; standing: what it says of itself.
    stages: where its time goes; what a batch took is added to its run as it is settled.
    in_doubt: what it may hold without knowing. stop: set when it is to end: no lost answer is waited for then.
    """

    database: Database
    settings: Settings
    shelf: ModelShelf
    owner: str
    standing: BatchInHand = field(default_factory=BatchInHand)
    stages: Stages = field(default_factory=Stages)
    files: ReadAhead = field(default_factory=ReadAhead)
    in_doubt: InDoubt = field(default_factory=InDoubt)
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """Give a file server as long as a film may take."""
        self.files.patience = self.settings.image_seconds

    def process_batch(self, batch_id: int, upcoming: Upcoming = no_more) -> Ending:
        """Claim a batch, read it and settle it; return how that ended.

        upcoming: asked, once its files are read, for the images of which some may be read next.
        Safe to call twice for the same batch, from anywhere: the second finds it taken or settled.
        Raises ServiceUnavailable when the database does not answer for a lease; the batch is given back when it does.
        """
        self.stages.wake()
        with self.in_doubt.working():
            try:
                self.in_doubt.clear(self.database, self.owner)
                held = self._claim(batch_id)
                return Ending.NOT_FREE if held is None else self._process(held, upcoming)
            except WetreadError:
                self.in_doubt.add(batch_id)
                raise
            finally:
                self.stages.rest()

    def _claim(self, batch_id: int) -> Claim | None:
        def write(_again: bool) -> Claim | None:
            with self.database.writing() as session:
                return claim(session, batch_id, self.owner, self.settings.lease_seconds)

        with self.stages.timed(CLAIM):
            return self._repeated(write)

    def _repeated(self, write: Callable[[bool], T]) -> T:
        return repeated(write, seconds=self.settings.lease_seconds, stop=self.stop)

    def note_stages(self, run_id: int) -> None:
        """Add to the run what has passed since its last batch was settled; for the end of a process."""
        self.stages.wake()
        with self.database.writing() as session:
            if run_state(session, run_id) is not None:
                add_stage_seconds(session, run_id, self.stages.take())

    def _process(self, held: Claim, upcoming: Upcoming) -> Ending:
        self.stages.serve(held.run_id)
        if held.took_over:
            count_expiry()
        reach("claimed")
        begun = time.monotonic()
        with self.standing.at(held.run_id, held.batch_id, "one at a time" if held.one_at_a_time else "reading"):
            ending = self._take_through(held, upcoming)
        count_batch(str(ending), time.monotonic() - begun)
        return ending

    def _take_through(self, held: Claim, upcoming: Upcoming) -> Ending:
        log = structlog.get_logger().bind(run=held.run_id, batch=held.batch_id)
        try:
            model = self.shelf.take(held.model_digest, held.engine, held.decision_digest)
        except (UsageError, ArtefactError, EngineFault) as error:
            log.error(
                "this worker lacks the run's model; the batch was given back", model=held.model_digest, why=str(error)
            )
            self._give_back(held)
            self._say_lacking(held.run_id, str(error))
            return Ending.NO_MODEL
        riders = self._riders(held)
        held = replace(held, riders=tuple(rider.held for rider in riders))
        try:
            self._read_and_settle(held, model, riders, upcoming)
        except RootUnavailable as error:
            log.error("the archive cannot be reached; the run is paused")  # its path is in the run's note, not in logs
            self._give_back(held, pause=str(error), trouble=AlarmKind.ROOT_NOT_REACHED)
            return Ending.PAUSED
        except MachineUnfit as error:
            log.error("this machine cannot read films now; the run is paused", why=str(error))
            self._give_back(held, pause=str(error))
            return Ending.PAUSED
        except LeaseLost as error:
            log.warning("lease lost", why=str(error))
            self.in_doubt.add(held.batch_id)
            with suppress(WetreadError):  # before the next batch otherwise
                self.in_doubt.clear(self.database, self.owner)
            return Ending.LOST
        except ReadingsChanged as error:
            log.info("the batch was given back, to be read again", why=str(error))
            self._give_back(held)
            return Ending.CHANGED
        log.info("batch settled", images=len(held.items))
        return Ending.SETTLED

    def _say_lacking(self, run_id: int, why: str) -> None:
        """Say on the run that this worker cannot read for it: where no other can either, it would wait in silence."""
        with self.database.writing() as session:
            note_trouble(session, run_id, AlarmKind.NOT_LOADED, why)

    def _riders(self, held: Claim) -> list[ModelReading]:
        """Return what is read along with the batch; what this worker lacks the model of is given back."""
        riders = []
        for rider in held.riders:
            try:
                model = self.shelf.take(rider.model_digest, rider.engine, rider.decision_digest)
            except (UsageError, ArtefactError, EngineFault) as error:
                structlog.get_logger().error(
                    "this worker lacks the shadow's model; its batch was given back, and the run's is read without it",
                    run=rider.run_id, batch=rider.batch_id, model=rider.model_digest, why=str(error),
                )  # fmt: skip
                self._give_back(rider)
            else:
                riders.append(ModelReading(rider, model, rider.items))
        return riders

    def _read_and_settle(self, held: Claim, model: LoadedModel, riders: list[ModelReading], upcoming: Upcoming) -> None:
        see_that_something_is_touched(held)
        with LeaseKeeper(self.database, held, self.settings) as keeper:
            reader = self._reader(held, model, keeper, riders)
            try:
                if held.one_at_a_time:
                    alone = OneAtATime(
                        self.database, self.settings, held, reader, keeper,
                        settle=lambda one: self._settle((held, [one])), repeated=self._repeated,
                    )  # fmt: skip
                    alone.read()
                else:
                    mine = reader.outcomes(held.items, upcoming)
                    keeper.rest()
                    read = [rider for rider in riders if rider.fault is None]
                    self._settle((held, mine), *((rider.held, rider.outcomes) for rider in read))
                    for rider in riders:
                        if rider.fault is not None:
                            self._give_back(rider.held, pause=str(rider.fault))
            except MemoryError:
                keeper.out_of_memory()

    def _reader(
        self, held: Claim, model: LoadedModel, keeper: LeaseKeeper, riders: Sequence[ModelReading]
    ) -> BatchReader:
        return BatchReader(
            self.database, self.settings, model, held, self.files, self.stages, keeper.progress, riders,
            waiting=keeper.waiting_for_files,
        )  # fmt: skip

    def _settle(self, mine: Settled, *riders: Settled) -> None:
        """Write what became of a batch and of what was read with it; raise what hinders the first, and that alone."""
        taken = self.stages.take()

        def write(again: bool) -> list[LeaseLost | ReadingsChanged | None]:
            with self.database.writing() as session:
                faults = settle_together(session, [mine, *riders], again=again)
                if faults[0] is None and not again:  # while the run's row is ours
                    add_stage_seconds(session, mine[0].run_id, taken)
                reach("before_commit")
            return faults

        with self.stages.timed(SETTLE):
            fault, *others = self._repeated(write)
        reach("committed")
        for (_, outcomes), why in zip((mine, *riders), (fault, *others), strict=True):
            if why is None:
                count_films(outcomes)
        for (rider, _), why in zip(riders, others, strict=True):
            if why is not None:
                structlog.get_logger().info(
                    "a shadow's batch was not settled; it is read again", run=rider.run_id, batch=rider.batch_id,
                    why=str(why),
                )  # fmt: skip
                self._give_back(rider)
        if fault is not None:
            raise fault

    def _give_back(self, held: Claim, pause: str | None = None, trouble: AlarmKind | None = None) -> None:
        def give(_again: bool) -> None:
            with self.database.writing() as session:
                release(session, held)
                take_back(session, [held.batch_id], held.owner)  # an attempt, and what was said if the lease ran out

        def stay_away(_again: bool) -> None:
            for one in (held, *held.riders):
                with self.database.writing() as session:
                    set_state(session, one.run_id, RunState.PAUSED, pause, trouble)
                    touched(session, one.run_id)

        self._repeated(give)
        # A transaction of its own: holding the batch, it would wait for who holds the run and wants the batch.
        if pause is not None:
            self._repeated(stay_away)
