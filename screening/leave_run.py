"""Leaves a run and records why; keeps the drift of a run that has finished."""

from __future__ import annotations

import structlog

from schemas.alarms import AlarmKind
from schemas.errors import WetreadError
from schemas.states import UNFINISHED_RUNS, RunState
from wetread.store.core.database import Database
from wetread.store.runs.accounts import RunAccount, run_account
from wetread.store.runs.lifecycle import set_state


def leave_run(database: Database, run_id: int, as_state: RunState, why: str, trouble: AlarmKind | None) -> None:
    """Say on a run why it was left, if the database still listens and has room. trouble: the kind of alarm it is."""
    try:
        with database.writing() as session:
            state = run_account(session, run_id).state
            if state in UNFINISHED_RUNS and state != RunState.PAUSED:
                set_state(session, run_id, as_state, why, trouble)
    except WetreadError as error:
        structlog.get_logger().warning("the run could not be marked as left; the same command goes on", why=str(error))


def with_drift(database: Database, account: RunAccount) -> RunAccount:
    """Return the accounts with what the run's scores and inputs are past, where it is finished."""
    from wetread.report.run_drift import keep_drift

    try:
        keep_drift(database, account.id)
        with database.reading() as session:
            return run_account(session, account.id)
    except WetreadError as error:  # the run is read; its report measures again
        structlog.get_logger().warning("the run's drift was not kept", run=account.id, why=str(error))
        return account
