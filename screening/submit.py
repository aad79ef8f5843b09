"""Records everything in some directories for workers, rings for them, and does not wait."""

from __future__ import annotations

from schemas.errors import ServiceUnavailable
from screening.doorbell import Doorbell
from screening.order import RunOrder
from screening.run import Screening
from wetread.store.runs.accounts import RunAccount


def submit_run(bell: Doorbell, order: RunOrder) -> RunAccount:
    """Open the run, fill it, ring for its batches and return its accounts.

    A database that is away in the middle is waited for. Raises UsageError as `Screening.open` does, RootUnavailable for
    a root that is gone, and ServiceUnavailable where the broker does not answer: the run is recorded all the same.
    """
    screening = Screening.open(bell.database, bell.settings, order)
    screening.see_to_the_walk(once=True)
    account = screening.account()
    try:
        bell.ring()
    except ServiceUnavailable as error:
        raise ServiceUnavailable(
            f"{error}; run {account.id} is recorded, and any worker's sweep rings for it when the broker is back"
        ) from error
    return account
