"""Runs one night of a schedule: opens or continues its run, reads until its end or the window's, and leaves it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from producer.night_watch import OurNight
from schemas.errors import RootEmptied, RootUnavailable, ServiceUnavailable, WetreadError
from schemas.states import RunState, WhyLeft
from screening.end_signals import AskedToEnd
from screening.order import Look, RunOrder
from screening.run import Screening
from screening.shadow import check_loads, shadow_for_now
from wetread.models.registry import Registry
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.runs.accounts import RunAccount
from wetread.store.schedules.schedule_log import attach_run, fail_tick
from worker.cores import Cores


@dataclass(frozen=True, slots=True)
class NightRunner:
    """Runs nights in this process: with processes of our own, or by workers behind the broker.

    workers: processes of our own in all, which the nights that are going at once share.
    """

    database: Database
    settings: Settings
    workers: int
    clock: Callable[[], datetime]
    cores: Cores = field(init=False)

    def __post_init__(self) -> None:
        """Begin with no night at work."""
        object.__setattr__(self, "cores", Cores(self.workers))

    def run(self, night: OurNight) -> None:
        """Run a night; what is pending at its end is read in the next night."""
        screening = self.open(night)
        if screening is None:
            return
        log = structlog.get_logger().bind(schedule=night.schedule.id, run=screening.opened.id)
        try:
            account = self.read(screening, night, lambda _: None)
        except AskedToEnd:  # it was asked to end, and the run says why, too
            log.info("a run of a schedule was left before its end", why=night.why)
            return
        except RootEmptied:  # its message names the root, and is the run's note
            log.error("a root of a schedule is empty; its run failed")
            return
        if account.state == RunState.PAUSED:
            raise RootUnavailable(account.note or "paused")
        log.info(
            "a run of a schedule ended",
            state=str(account.state),
            done=account.done,
            failed=account.rejected + account.dead,
        )

    def open(self, night: OurNight) -> Screening | None:
        """Open the night's run; None, and said in the history, when its engine or its model cannot be had."""
        schedule, registry = night.schedule, Registry(self.database, self.settings.models_directory)
        try:
            digest = registry.resolve(schedule.model).digest
            if self.settings.broker is None:
                check_loads(registry, digest, schedule.engine)
        except ServiceUnavailable:
            raise
        except WetreadError as error:
            structlog.get_logger().error(
                "a schedule has no engine or model to run by", schedule=schedule.id, why=str(error)
            )
            with self.database.writing() as session:
                fail_tick(session, schedule.id, str(error))
            return None
        shadow = None
        if schedule.shadow is not None:
            shadow = shadow_for_now(registry, schedule.shadow, digest, self.settings.broker, schedule=schedule.id)
        order = RunOrder(
            (), digest, schedule.engine, force=False, workers=self.workers, shadow_digest=shadow, rules=schedule.rules,
            accepted=self.settings.accepted | schedule.accepted,
        )  # fmt: skip
        screening = Screening.of_roots(
            self.database, self.settings, order, schedule.root_ids, night.leave,
            lambda session, run: attach_run(session, schedule.id, run),
        )  # fmt: skip
        structlog.get_logger().info(
            "a run of a schedule started",
            schedule=schedule.id,
            run=screening.opened.id,
            goes_on=screening.opened.resumed,
        )
        screening.emptied_is = RunState.FAILED
        screening.left_as = lambda: None if night.why == WhyLeft.TAKEN_OVER else (RunState.PAUSED, night.why)
        return screening

    def read(self, screening: Screening, night: OurNight, look: Look) -> RunAccount:
        """Have the run read; raise AskedToEnd when it was left before its end."""

        def watch(account: RunAccount) -> None:
            if night.until is not None and self.clock() >= night.until:
                shown = night.until.astimezone(ZoneInfo(night.schedule.timezone))
                night.leave_now(f"the window ended at {shown:%H:%M}; it goes on in the next one")
            look(account)

        if self.settings.broker is not None:
            return screening.read_by_workers(watch)
        with self.cores.share() as share:
            return screening.read_here(watch, share)
