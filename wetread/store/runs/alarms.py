"""Makes the list of a run's alarms, which every command, report and metric shows.

A pure function of the run's accounts. What only a measurement tells, drift, is measured at the run's end and kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from schemas.alarms import MOST_FAILED, Alarm, AlarmKind
from schemas.states import RunKind, RunState
from wetread.store.runs.accounts import RunAccount
from wetread.store.runs.failures import failure_rate, read_nothing

_LEFT = {RunState.PAUSED: AlarmKind.RUN_PAUSED, RunState.INTERRUPTED: AlarmKind.RUN_INTERRUPTED}


def run_alarms(
    account: RunAccount, *, max_failure_rate: float = MOST_FAILED, drift: Sequence[Alarm] | None = None
) -> list[Alarm]:
    """Return the run's alarms, the gravest first.

    drift: what was measured now; by default what was kept when the run ended.
    """
    return [
        *_hindered(account),
        *_not_looked_into(account),
        *_conflicting(account),
        *_found_nothing(account),
        *_failed(account, max_failure_rate),
        *(account.drift if drift is None else drift),
    ]


def latest_alarms(accounts: Iterable[RunAccount]) -> dict[int, list[Alarm]]:
    """Return {run: alarms} of those of `accounts`, newest first, that no later one of the same roots and kind follows.

    What an earlier run could not do, the later one has tried again.
    """
    found: dict[int, list[Alarm]] = {}
    followed = set()
    for account in accounts:
        of = (account.kind, tuple(sorted(account.root_ids)))
        if of not in followed:
            followed.add(of)
            found[account.id] = run_alarms(account)
    return found


def _hindered(account: RunAccount) -> Iterable[Alarm]:
    """Yield why the run has stopped, or continues with difficulty."""
    figures = {"state": str(account.state), "pending": account.pending}
    why = account.trouble_why or account.note or "nobody said why"
    if account.state == RunState.RUNNING:
        if account.trouble is not None:
            yield Alarm(account.trouble, f"A worker cannot read for run {account.id}: {why}", figures)
    elif account.state == RunState.FAILED:
        yield Alarm(account.trouble or AlarmKind.RUN_FAILED, f"Run {account.id} failed: {why}", figures)
    elif account.state in _LEFT:
        left = f"{account.pending:,} images are left to read" if account.pending else "it did not come to its end"
        kind = account.trouble or _LEFT[account.state]
        yield Alarm(kind, f"Run {account.id} is {account.state}, and {left}: {why}", figures)


def _not_looked_into(account: RunAccount) -> Iterable[Alarm]:
    if count := account.unread_directories:
        which = "1 directory was" if count == 1 else f"{count:,} directories were"
        yield Alarm(
            AlarmKind.DIRECTORIES_NOT_READ,
            f"{which} not looked into: `wetread errors list {account.id}` names them; mend their permissions, or leave "
            "them out by --exclude.",
            {"unreadable_directories": count},
        )


def _conflicting(account: RunAccount) -> Iterable[Alarm]:
    if count := account.received_conflicts:
        films = "1 film that was received has" if count == 1 else f"{count:,} films that were received have"
        yield Alarm(
            AlarmKind.RECEIVED_CONFLICT,
            f"{films} a SOP instance UID under which other bytes came, too: all are kept and read. Ask their sender "
            "which is right; docs/pacs.md tells how to find them.",
            {"conflicts": count},
        )


def _found_nothing(account: RunAccount) -> Iterable[Alarm]:
    """Yield an alarm where a walk came to its end without a film. A watch begins where nothing lies yet."""
    links = account.passed_over.get("link", 0)
    read = account.done + account.skipped + account.pending
    if account.walked_at is None or read or account.state not in (RunState.FINISHED, RunState.RUNNING):
        return
    if links:
        yield Alarm(
            AlarmKind.LINKS_ALONE,
            f"{links:,} links were passed over, and no film was read: --follow-links follows those that stay under a "
            "root, --allow ROOT names another.",
            {"links": links, "found": account.found},
        )
    elif not account.found and account.kind != RunKind.WATCH:
        excluded = account.passed_over.get("excluded", 0)
        but = f"; {excluded:,} files and directories were left out by --exclude" if excluded else ""
        yield Alarm(
            AlarmKind.NOTHING_FOUND,
            f"Expected films, found none{but}; is it mounted?",
            {"found": 0, "excluded": excluded},
        )


def _failed(account: RunAccount, most: float) -> Iterable[Alarm]:
    if account.dead:
        count = "1 film is" if account.dead == 1 else f"{account.dead:,} films are"
        yield Alarm(
            AlarmKind.FILMS_DEAD,
            f"{count} dead, since the process that read it died each time: `wetread errors list {account.id}` names "
            f"them, `wetread errors retry {account.id}` tries again.",
            {"dead": account.dead, "reasons": dict(account.dead_reasons)},
        )
    if account.state == RunState.FINISHED and read_nothing(account):
        yield Alarm(
            AlarmKind.NOTHING_READ,
            f"No film was read, and {account.rejected + account.dead:,} could not be: "
            f"`wetread errors list {account.id}` says why.",
            {"rejected": account.rejected, "dead": account.dead, "reasons": dict(account.rejected_reasons)},
        )
    if (rate := failure_rate(account)) > most:
        yield Alarm(
            AlarmKind.FAILURE_RATE,
            f"{rate:.1%} of the images found could not be read; the limit is {most:.1%}.",
            {"failure_rate": rate, "max_failure_rate": most},
        )
