"""What workers that died on this machine still hold is freed at once, instead of when their leases run out."""

from __future__ import annotations

from wetread.store.database import Database
from wetread.store.leases import owners, release_dead
from worker.identity import died_here


def free_what_the_dead_hold(database: Database) -> int:
    """Free the batches of workers that died on this machine, counting their deaths; return how many batches."""
    with database.reading() as session:
        dead = [owner for owner in owners(session) if died_here(owner)]
    if not dead:
        return 0
    with database.writing() as session:
        return sum(release_dead(session, owner) for owner in dead)
