"""Which run the morning's report is on: the latest of a schedule that is not at work any more."""

from __future__ import annotations

from schemas.errors import UsageError
from schemas.states import RunState
from wetread.store.accounts import run_state
from wetread.store.database import Database
from wetread.store.nightly import nightly_runs
from wetread.store.schedules import find_schedule, list_schedules


def last_night(database: Database, schedule: str | None) -> int:
    """Return the number of the schedule's latest run that is not running, whatever became of it.

    schedule: its name; None for the only one. Raises UsageError when there are none or several, or no such run yet.
    """
    with database.reading() as session:
        if schedule is None:
            names = [one.name for one in list_schedules(session)]
            if len(names) != 1:
                found = ", ".join(map(repr, names))
                raise UsageError(
                    f"--nightly: expected the name of a schedule, found several: {found}; name one of them"
                    if names
                    else "--nightly: expected a schedule, found none; see `wetread schedule add --help`"
                )
            schedule = names[0]
        name = find_schedule(session, schedule).name
        for night in nightly_runs(session, name):
            if run_state(session, night.run_id) not in (RunState.RUNNING, None):
                return night.run_id
    raise UsageError(
        f"--nightly: expected a run of {name!r} that is over, found none yet; `wetread report` takes any run"
    )
