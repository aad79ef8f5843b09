"""One night of a schedule: its run is opened, or gone on with, read until its end or the window's, and left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from cli.screening import Look, Order, Screening
from producer.night_watch import TAKEN_OVER, Night
from schemas.errors import RootEmptied, RootUnavailable, ServiceUnavailable, WetreadError
from schemas.states import RunState
from wetread.models.registry import Registry
from wetread.settings import Settings
from wetread.store.accounts import RunAccount
from wetread.store.database import Database
from wetread.store.ticks import attach_run, fail_tick


@dataclass(frozen=True, slots=True)
class NightRunner:
    """Runs nights in this process: with processes of our own, or by workers behind the broker."""

    database: Database
    settings: Settings
    workers: int
    clock: Callable[[], datetime]

    def run(self, night: Night) -> None:
        """Run a night; what is pending at its end goes on in the next one."""
        screening = self.open(night)
        if screening is None:
            return
        try:
            account = self.read(screening, night, lambda _: None)
        except KeyboardInterrupt:
            return  # it was asked to end, and the run says why
        except RootEmptied:  # its message names the root, and is the run's note
            structlog.get_logger().error("a root of a schedule is empty; its run failed", run=screening.opened.id)
            return
        if account.state == RunState.PAUSED:
            raise RootUnavailable(account.note or "paused")

    def open(self, night: Night) -> Screening | None:
        """Open the night's run; None, and said in the history, when its model cannot be had."""
        schedule = night.schedule
        try:
            digest = Registry(self.database, self.settings.models_directory).resolve(schedule.model).digest
        except ServiceUnavailable:
            raise
        except WetreadError as error:
            structlog.get_logger().error("a schedule has no model to run", schedule=schedule.id, why=str(error))
            with self.database.writing() as session:
                fail_tick(session, schedule.id, str(error))
            return None
        order = Order((), digest, schedule.engine, force=False, workers=self.workers)
        screening = Screening.of_roots(
            self.database, self.settings, order, schedule.root_ids, night.leave,
            lambda session, run: attach_run(session, schedule.id, run),
        )  # fmt: skip
        screening.emptied_is = RunState.FAILED
        screening.left_as = lambda: None if night.why == TAKEN_OVER else (RunState.PAUSED, night.why)
        return screening

    def read(self, screening: Screening, night: Night, look: Look) -> RunAccount:
        """Have the run read; raise KeyboardInterrupt when it was left before its end."""

        def watch(account: RunAccount) -> None:
            if night.until is not None and self.clock() >= night.until:
                shown = night.until.astimezone(ZoneInfo(night.schedule.timezone))
                night.leave_now(f"the window ended at {shown:%H:%M}; it goes on in the next one")
            look(account)

        return (screening.read_here if self.settings.broker is None else screening.read_by_workers)(watch)
