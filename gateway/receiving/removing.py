"""Old films are removed from a spool, but those that are yet to be read, or whose reports are yet to be delivered.

A film that comes again meanwhile is not lost: it is put in its place under the lock of places, as a new file, whose
inode has changed a moment ago.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from datetime import datetime

from gateway.receiving.spool import Spool
from wetread.store.core.database import Database
from wetread.store.received.spooled_films import old_films

SLICE = 500


def remove_old(database: Database, spool: Spool, root_id: int, before: datetime, *, dry_run: bool) -> Counter[str]:
    """Remove the films that were received before `before`; return how many, and how many stay for whom.

    Raises ServiceUnavailable where the database is away: the rest is removed another time.
    """
    counts: Counter[str] = Counter()
    after = 0
    while True:
        with database.reading() as session:
            found = old_films(session, root_id, before, after, SLICE)
        if not found:
            return counts
        for film in found:
            if film.needed is not None:
                counts[f"kept for {film.needed}"] += 1
            elif _remove(spool, film.path, before, dry_run=dry_run):
                counts["removed"] += 1
        after = found[-1].id


def _remove(spool: Spool, path: bytes, before: datetime, *, dry_run: bool) -> bool:
    with spool.placing(path) as target:
        is_old = False
        with suppress(FileNotFoundError):
            is_old = os.lstat(target).st_ctime < before.timestamp()
            if is_old and not dry_run:
                os.unlink(target)
    spool.settle(path)
    return is_old
