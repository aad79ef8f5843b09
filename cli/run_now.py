"""Runs a schedule by hand: the same run as beat's, shown as `wetread screen` shows it."""

from __future__ import annotations

import os

from cli.accounts import run_exit_code, show_account
from cli.alarms import alarmed_exit_code, say_alarms
from cli.context import opened_database
from cli.interrupting import noted_interrupts
from cli.output import emit_json, say
from cli.progress_of_both import ProgressOfBoth, say_opened
from producer.night_watch import OurNight
from schemas.errors import EXIT_FAILED, EXIT_INTERRUPTED, UsageError
from screening.by_hand import Hold, taken_schedule
from screening.end_signals import AskedToEnd
from screening.night import NightRunner
from wetread.clock import utc_now
from wetread.store.core.database import Database
from wetread.store.runs.alarms import run_alarms
from wetread.store.schedules.schedules import find_schedule
from wetread.views.accounts import account_json, read_shadows


def run_schedule_now(name: str, workers: int | None, max_failure_rate: float, *, as_json: bool) -> int:
    """Run the schedule and print its accounts; return the exit code. Raises UsageError when it is being run."""
    with opened_database() as (_, database):
        _check_reads_alone(database, name)
    with (
        opened_database() as (settings, database),
        noted_interrupts() as asked,
        taken_schedule(database, name) as schedule,
    ):
        night = OurNight(schedule, None, asked, "interrupted; beat goes on with it in the next window")
        runner = NightRunner(database, settings, workers or len(os.sched_getaffinity(0)), utc_now)
        screening = runner.open(night)
        if screening is None:
            return EXIT_FAILED
        say_opened(screening.opened, screening.shadow)
        with ProgressOfBoth() as progress:
            try:
                account = runner.read(screening, night, Hold(database, schedule.id, progress))
            except (KeyboardInterrupt, AskedToEnd):
                say("\ninterrupted; nothing is lost: beat goes on with it in the schedule's next window")
                return EXIT_INTERRUPTED
        shadows = read_shadows(database, account.id)
    pace = {"images_per_second": progress.run.images_per_second, "seconds": progress.run.seconds}
    pace["max_failure_rate"] = max_failure_rate
    alarms = run_alarms(account, max_failure_rate=max_failure_rate)
    if as_json:
        emit_json(account_json(account, shadows, **pace))
        say_alarms(alarms)
    else:
        show_account(account, shadows, **pace)
    return alarmed_exit_code(run_exit_code(account, max_failure_rate), alarms)


def _check_reads_alone(database: Database, name: str) -> None:
    """Raise UsageError for a schedule that fetches, before its moment is written down."""
    with database.reading() as session:
        pull = find_schedule(session, name).pull
    if pull is not None:
        raise UsageError(
            f"expected a schedule of directories, found one that fetches: `wetread pull {pull['peer']} --last-days "
            f"{pull['days']}` does the same now"
        )
