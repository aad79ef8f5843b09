"""A worker's identity: its host's name, for people, and its process, which tells whether it is alive.

A worker is said to have died only where its process was of our own boot and table of processes. Of any other, and of
what an earlier version wrote (host:pid:start), its lease decides.
"""

from __future__ import annotations

import re
import socket
from itertools import count

from wetread.process_identity import ProcessIdentity, this_process

HOST_LENGTH = 32
"""Characters of a host's name in an id, so that with a walk's number it is within the database's 128."""

_walks = count(1)


def worker_id() -> str:
    """Return this process's id as a worker, host:pid:start:place; start in clock ticks since boot."""
    return f"{_host()}:{this_process()}"


def walker_id() -> str:
    """Return a new id for one walk of this process, host:pid:start:place/number: beat may be at several at once."""
    return f"{worker_id()}/{next(_walks)}"


def died_here(owner: str) -> bool:
    """Return whether `owner`, a worker or a walk, was of a process of this place that does not exist any more."""
    process = _process(owner)
    return process is not None and process.has_ended


def lives_here(owner: str) -> bool:
    """Return whether `owner` is of a process of this place that has not ended."""
    process = _process(owner)
    return process is not None and process.is_of_this_place and not process.has_ended


def _process(owner: str) -> ProcessIdentity | None:
    return ProcessIdentity.parse(owner.partition("/")[0].partition(":")[2])


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:HOST_LENGTH]
