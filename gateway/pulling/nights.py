"""A night of a schedule that fetches its films: the pull goes on where it was left, and what comes is read."""

from __future__ import annotations

import os
import threading
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from gateway.calling.patience import AskedToStop
from gateway.pulling.pull_order import PullOrder
from gateway.pulling.pull_reading import PullThread, pulled
from gateway.pulling.pulling import Pulling
from gateway.receiving.received_run import Listening
from gateway.receiving.spool import is_listening
from producer.night_watch import OurNight
from schemas.states import PullState
from screening.night import NightRunner
from screening.watch_order import WatchOrder
from wetread.models.registry import Registry
from wetread.store.images.places import root_paths
from wetread.store.received.pulls import PullRow
from wetread.store.schedules.schedule_log import attach_run, settle_tick

LOOK_SECONDS = 0.5


def pull_night(runner: NightRunner, night: OurNight) -> None:
    """Fetch and read until all is here and read, or until the night's end; raise what the pull was ended by."""
    schedule, database = night.schedule, runner.database
    with database.reading() as session:
        ((root_id, films),) = root_paths(session, schedule.root_ids).items()
    directory = os.path.dirname(runner.settings.local_root(films))
    order = PullOrder.from_json(schedule.pull or {})
    over = threading.Event()
    threading.Thread(target=_watch_hours, args=(runner, night, over), name="hours", daemon=True).start()
    try:
        pulling = Pulling.open(database, runner.settings, order, directory, night.leave)
        if is_listening(directory):
            row = pulled(pulling, night.leave)
            with database.writing() as session:
                settle_tick(session, schedule.id, f"pull {row.id} is {row.state}: {row.received} of {row.asked}")
        else:
            row = _fetched_and_read(runner, night, pulling, root_id, films)
    except AskedToStop:
        return
    finally:
        over.set()
    structlog.get_logger().info("a pull of a schedule ended", schedule=schedule.id, pull=row.id, state=str(row.state))


def _fetched_and_read(runner: NightRunner, night: OurNight, pulling: Pulling, root_id: int, films: bytes) -> PullRow:
    schedule = night.schedule
    registry = Registry(runner.database, runner.settings.models_directory)

    def models() -> tuple[str, str | None]:
        return registry.resolve(schedule.model).digest, None

    def opened(session: Any, run_id: int) -> None:
        attach_run(session, schedule.id, run_id)

    def unfinished() -> str | None:
        return (night.why or None) if pulling.account.state != PullState.FINISHED else None

    thread = PullThread(pulling, night.leave)
    order = WatchOrder(
        {root_id: films}, models, schedule.engine, runner.workers, 0.0, 1.0, 60.0, listens=False,
        accepted=runner.settings.accepted | schedule.accepted,
    )  # fmt: skip
    Listening(
        runner.database, runner.settings, order, thread, night.leave, lambda _: None, lambda: None, runner.clock,
        lambda: thread.is_over, unfinished, opened,
    ).listen()  # fmt: skip
    return thread.ended()


def _watch_hours(runner: NightRunner, night: OurNight, over: threading.Event) -> None:
    while not over.wait(LOOK_SECONDS):
        if night.until is not None and runner.clock() >= night.until:
            shown = night.until.astimezone(ZoneInfo(night.schedule.timezone))
            night.leave_now(f"the window ended at {shown:%H:%M}; it goes on in the next one")
            return
