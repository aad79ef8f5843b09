"""The failure rate of a run, and whether an ended run is in order: the rule of exit code 3."""

from __future__ import annotations

from schemas.alarms import MOST_FAILED
from schemas.reasons import NO_FILM_REASONS, WORLD_REASONS
from schemas.states import RunState
from wetread.store.runs.accounts import RunAccount


def failed_films(account: RunAccount) -> int:
    """Return how many images are rejected or dead, not counting images that are not frontal chest films."""
    no_films = sum(account.rejected_reasons.get(reason, 0) for reason in NO_FILM_REASONS)
    return account.rejected - no_films + account.dead


def failure_rate(account: RunAccount) -> float:
    """Return `failed_films` as a share of the images found."""
    return failed_films(account) / account.found if account.found else 0.0


def failed_too_much(account: RunAccount, max_failure_rate: float = MOST_FAILED) -> bool:
    """Return whether a finished run is not as it should be.

    A film is dead; or it read nothing of what it was to read, whatever earlier runs had read; or a larger share failed
    than max_failure_rate. False for a run that has not finished: its state says more.
    """
    if account.state != RunState.FINISHED:
        return False
    return account.dead > 0 or read_nothing(account) or failure_rate(account) > max_failure_rate


def read_nothing(account: RunAccount) -> bool:
    """Return whether films failed and none was read.

    Where earlier runs had read others, what cannot be reached does not count: it is tried again by each run, and one
    file without permission would make every night look like one in which nothing could be read.
    """
    failed = failed_films(account)
    if account.skipped:
        failed -= sum(account.rejected_reasons.get(reason, 0) for reason in WORLD_REASONS)
    return account.done == 0 and failed > 0
