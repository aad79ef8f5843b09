"""A run's accounts, as JSON and as the tables that end a screening."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cli.alarms import alarms_json, say_alarms
from cli.output import NOT_DIAGNOSTIC, emit_table, percent, say
from cli.walk_options import rules_json, rules_text
from schemas.alarms import MOST_FAILED
from schemas.errors import EXIT_DONE, EXIT_FAILED, EXIT_FAILURE_RATE, EXIT_INTERRUPTED, EXIT_UNAVAILABLE
from schemas.states import RunState
from wetread.clock import utc_now, utc_text
from wetread.path_text import path_text
from wetread.store.accounts import RunAccount, shadow_accounts
from wetread.store.alarms import run_alarms
from wetread.store.database import Database
from wetread.store.failures import failed_too_much


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
        "alarms": alarms_json(run_alarms(account, max_failure_rate=max_failure_rate)),
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


def show_account(
    account: RunAccount,
    shadows: Sequence[RunAccount] = (),
    *,
    images_per_second: float,
    seconds: float,
    max_failure_rate: float = MOST_FAILED,
) -> None:
    """Print a run's accounts as tables on stdout, its note and alarms on stderr; then those of what shadows it."""
    _show_one(account, images_per_second, seconds, max_failure_rate)
    for shadow in shadows:
        _show_one(shadow, *account_pace(shadow), max_failure_rate)
    if shadows:
        say(f"compare them: wetread results diff {account.model} {shadows[0].model}")
    say(NOT_DIAGNOSTIC)


def _show_one(account: RunAccount, images_per_second: float, seconds: float, max_failure_rate: float) -> None:
    emit_accounts(account, pace=[("images/s", f"{images_per_second:.1f}"), ("seconds", f"{seconds:.1f}")])
    if account.labels:
        labels = [
            (label, count, percent(count, account.done), account.uncertain.get(label, 0))
            for label, count in account.labels.items()
        ]
        emit_table(("most probable label", "images", "share of done", "of them uncertain"), labels)
    emit_reasons(account)
    if account.note:
        say(f"note: {account.note}")
    say_alarms(run_alarms(account, max_failure_rate=max_failure_rate))


Rows = Sequence[tuple[str, object]]


def emit_accounts(account: RunAccount, *, origin: Rows = (), pace: Rows = (), title: str | None = None) -> None:
    """Print a run's accounts as a table on stdout, with what is said of its origin and pace in their places.

    title: of a table that is one of many.
    """
    counts = ("found", "done", "rejected", "dead", "skipped", "pending", "cancelled")
    rows = [
        ("run", account.id),
        *([] if account.shadow_of is None else [("shadow of run", account.shadow_of)]),
        ("state", account.state),
        ("model", f"{account.model} on {account.engine}"),
        *origin,
        *([("walked by", rules)] if (rules := rules_text(account.rules)) else []),
        *((name, getattr(account, name)) for name in counts),
        *pace,
    ]
    emit_table(("account", "value"), rows, title=title, one_of_many=title is not None)


def emit_reasons(account: RunAccount, *, title: str | None = None) -> None:
    """Print why images of a run were not read, as a table on stdout, if there are any."""
    reasons = [(reason, count, "rejected") for reason, count in account.rejected_reasons.items()]
    reasons += [(reason, count, "dead") for reason, count in account.dead_reasons.items()]
    if reasons:
        emit_table(("reason", "images", "state"), reasons, title=title, one_of_many=title is not None)


def run_exit_code(account: RunAccount, max_failure_rate: float) -> int:
    """Return the exit code that a run's end stands for."""
    if account.state == RunState.FINISHED:
        return EXIT_FAILURE_RATE if failed_too_much(account, max_failure_rate) else EXIT_DONE
    return {RunState.PAUSED: EXIT_UNAVAILABLE, RunState.INTERRUPTED: EXIT_INTERRUPTED}.get(account.state, EXIT_FAILED)
