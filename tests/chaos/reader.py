"""Reads a database again and again, as `results list`, `results summary`, `status` and `errors list` do.

python -m tests.chaos.reader SECONDS        exits 1 with the fault if one read fails; prints how many it made
"""

from __future__ import annotations

import sys
import time
from itertools import islice

from schemas.states import ItemState
from wetread.settings import load_settings
from wetread.store.core.database import Database
from wetread.store.results.counts import failure_counts, label_counts
from wetread.store.results.finding import Filters, find_results
from wetread.store.runs.accounts import list_accounts, run_account


def read(seconds: float) -> tuple[int, float]:
    """Read for `seconds`, a new connection every 20 reads; return how many reads and the seconds of the longest."""
    until, reads, longest = time.monotonic() + seconds, 0, 0.0
    while time.monotonic() < until:
        database = Database(load_settings().database)
        for _ in range(20):
            began = time.monotonic()
            with database.reading() as session:
                for account in list_accounts(session, limit=1):
                    run_account(session, account.id)
                label_counts(session, Filters())
                failure_counts(session, Filters())
                list(islice(find_results(session, Filters(state=ItemState.DONE)), 500))
            reads, longest = reads + 1, max(longest, time.monotonic() - began)
        database.dispose()
    return reads, longest


if __name__ == "__main__":
    print(*read(float(sys.argv[1])))  # noqa: T201 - its parent reads it
