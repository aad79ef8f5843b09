"""Shows a run's accounts as the tables at the end of a screening, and turns them into an exit code."""

from __future__ import annotations

from collections.abc import Sequence

from cli.alarms import say_alarms
from cli.output import NOT_DIAGNOSTIC, emit_table, percent, say
from schemas.alarms import MOST_FAILED
from schemas.errors import EXIT_DONE, EXIT_FAILED, EXIT_FAILURE_RATE, EXIT_INTERRUPTED, EXIT_UNAVAILABLE
from schemas.states import RunState
from wetread.store.runs.accounts import RunAccount
from wetread.store.runs.alarms import run_alarms
from wetread.store.runs.failures import failed_too_much
from wetread.views.accounts import account_pace
from wetread.views.rules import rules_text


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
    """Print a run's accounts as a table on stdout, with its origin and its pace.

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
