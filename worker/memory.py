"""A bound on the memory that a worker process may ask for at once; the keeper watches what it really uses."""

from __future__ import annotations

import resource

ROOM = 2
"""What a process may map, as a multiple of what it may use: libraries reserve memory that they never touch."""


def bound_memory(memory_bytes: int) -> None:
    """Refuse this process more than twice `memory_bytes` of memory of its own, with a MemoryError.

    So one allocation that the whole machine could not bear fails before anything looks. A lower bound that was set
    from outside stays.
    """
    bound = ROOM * memory_bytes
    now, most = resource.getrlimit(resource.RLIMIT_DATA)
    if now == resource.RLIM_INFINITY or bound < now:
        resource.setrlimit(resource.RLIMIT_DATA, (bound, most))
