"""Who a worker is: host, process and its start, so that a process id used again is another worker."""

from __future__ import annotations

import os
import socket
from itertools import count

import psutil

_walks = count(1)


def worker_id() -> str:
    """Return this process's id as a worker: host:pid:start, start in hundredths of seconds since 1970."""
    pid = os.getpid()
    return f"{socket.gethostname()[:64]}:{pid}:{_start(psutil.Process(pid))}"


def walker_id() -> str:
    """Return a new id for one walk of this process, host:pid:start/number: beat may be at several at once."""
    return f"{worker_id()}/{next(_walks)}"


def died_here(owner: str) -> bool:
    """Return whether `owner`, a worker or a walk, was of a process of this machine that does not exist any more."""
    host, _, process_part = owner.partition("/")[0].partition(":")
    pid, _, start = process_part.partition(":")
    if host != socket.gethostname()[:64] or not (pid.isdigit() and start.isdigit()):
        return False
    try:
        process = psutil.Process(int(pid))
        return _start(process) != int(start) or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _start(process: psutil.Process) -> int:
    return round(float(process.create_time()) * 100)
