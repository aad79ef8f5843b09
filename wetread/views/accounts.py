"""A run's accounts as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.alarms import MOST_FAILED
from wetread.clock import utc_now, utc_text
from wetread.path_text import path_text
from wetread.store.core.database import Database
from wetread.store.runs.accounts import RunAccount, shadow_accounts
from wetread.store.runs.alarms import run_alarms
from wetread.views.rules import rules_json


def read_shadows(database: Database, run_id: int) -> list[RunAccount]:
    """Return the accounts of the runs that shadow this one, the latest first."""
    with database.reading() as session:
        return shadow_accounts(session, run_id)


def account_json(
    account: RunAccount,
    shadows: Sequence[RunAccount] = (),
    *,
    images_per_second: float,
    seconds: float,
    max_failure_rate: float = MOST_FAILED,
) -> dict[str, Any]:
    """Return the one object that `screen --json` and `status --json` print.

    docs/results.md lists its keys in their order; a later version adds behind them. It has `shadow_of` for a run that
    shadows another, and `shadow`, the same object of the latest run that shadows it.
    """
    body: dict[str, Any] = {
        "run": account.id,
        "state": str(account.state),
        "model": account.model,
        "engine": account.engine,
        "found": account.found,
        "done": account.done,
        "rejected": account.rejected,
        "dead": account.dead,
        "cancelled": account.cancelled,
        "skipped": account.skipped,
        "pending": account.pending,
        "labels": account.labels,
        "images_per_second": round(images_per_second, 2),
        "seconds": round(seconds, 3),
        "kind": str(account.kind),
        "model_digest": account.model_digest,
        "roots": [path_text(root) for root in account.roots],
        "note": account.note,
        "begun_at": utc_text(account.created_at),
        "walked_at": utc_text(account.walked_at),
        "ended_at": utc_text(account.ended_at),
        "uncertain": account.uncertain,
        "rejected_reasons": account.rejected_reasons,
        "dead_reasons": account.dead_reasons,
        "unreadable_directories": account.unread_directories,
        "passed_over": account.passed_over,
        **rules_json(account.rules),
        "alarms": [alarm.to_json() for alarm in run_alarms(account, max_failure_rate=max_failure_rate)],
    }
    if account.shadow_of is not None:
        body["shadow_of"] = account.shadow_of
    for shadow in shadows[:1]:
        rate, took = account_pace(shadow)
        body["shadow"] = account_json(shadow, images_per_second=rate, seconds=took)
    return body


def account_pace(account: RunAccount) -> tuple[float, float]:
    """Return (images/s, seconds) of a run from its making to its end, or until now."""
    seconds = ((account.ended_at or utc_now()) - account.created_at).total_seconds()
    return (account.settled / seconds if seconds > 0 else 0.0), seconds
