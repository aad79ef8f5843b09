"""Frees at once what dead workers of this machine still hold, before their leases run out."""

from __future__ import annotations

from wetread.store.core.database import Database
from wetread.store.work.leases import owners, release_dead
from wetread.store.work.workers import forget_dead, worker_ids
from worker.identity import died_here
from worker.memory import oom_kills


def free_what_the_dead_hold(database: Database) -> int:
    """Free the batches of workers that died on this machine, counting their deaths; return how many batches."""
    with database.reading() as session:
        dead = [owner for owner in owners(session) if died_here(owner)]
    if not dead:
        return 0
    killed = oom_kills()
    with database.writing() as session:
        return sum(release_dead(session, owner, killed) for owner in dead)


def forget_the_dead(database: Database) -> int:
    """Remove processes that died on this machine from the list of workers; return how many were not counted before."""
    with database.reading() as session:
        dead = [one for one in worker_ids(session) if died_here(one)]
    if not dead:
        return 0
    with database.writing() as session:
        return forget_dead(session, dead)
