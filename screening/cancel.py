"""Cancels a run and its companion runs; what was read stays."""

from __future__ import annotations

from schemas.errors import UsageError
from schemas.states import RunState
from wetread.store.core.database import Database
from wetread.store.runs.accounts import RunAccount, run_account
from wetread.store.runs.lifecycle import cancel_pending, set_state, shadows_of


def cancel_run(database: Database, run_id: int) -> list[RunAccount]:
    """Cancel what is pending in a run and in its shadows; return the accounts of those cancelled, the run's first.

    A cancelling that was cut off is taken up again. Raises UsageError for a run that is not there, or has ended.
    """
    with database.writing() as session:
        account = run_account(session, run_id)
        shadows = [run_account(session, each) for each in shadows_of(session, run_id)]
        half_way = [one.id for one in (account, *shadows) if one.state == RunState.CANCELLED and one.pending > 0]
        if not set_state(session, run_id, RunState.CANCELLED, "cancelled") and not half_way:
            raise UsageError(f"run {run_id} is {account.state}: only a run that is not finished can be cancelled")
        why = f"cancelled with run {run_id}"
        with_it = [
            one.id for one in shadows if one.id in half_way or set_state(session, one.id, RunState.CANCELLED, why)
        ]
    for each in (run_id, *with_it):
        left = 1
        while left:
            with database.writing() as session:
                left = cancel_pending(session, each)
    with database.reading() as session:
        return [run_account(session, each) for each in (run_id, *with_it)]
