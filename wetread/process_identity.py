"""Identifies a process independently of the clock, and tells whether it has ended.

A process number is used again, and the time at which a process began is known in seconds since 1970 only by way of the
machine's clock: after a step of that every process looks like another one. The kernel counts from its boot instead. So
a process is its number and its start in clock ticks since boot, in its place: the boot, the table of processes (a
container has one of its own), and the clock's offset (a time namespace shifts the ticks that are shown there).
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
NAMESPACES = Path("/proc/self/ns")

START_FIELD = 22 - 3
"""Of /proc/PID/stat, counted from behind the name, which may hold blanks and brackets: the state is the first."""

UNKNOWN = "unknown."
"""What a place begins with that the system does not tell."""

ENDED = ("Z", "X", "x")
"""States of a process that does nothing more and whose number is not free yet."""


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process. start: clock ticks since boot; place: boot, table of processes and clock, in at most 54 characters."""

    pid: int
    start: int
    place: str

    def __str__(self) -> str:
        """Return it as pid:start:place, in at most 83 characters."""
        return f"{self.pid}:{self.start}:{self.place}"

    @classmethod
    def parse(cls, text: str) -> ProcessIdentity | None:
        """Return the process that `str` wrote; None for anything else, as for what an earlier version wrote."""
        pid, _, rest = text.partition(":")
        start, _, place = rest.partition(":")
        if not (pid.isascii() and pid.isdigit() and start.isascii() and start.isdigit() and place):
            return None
        return cls(int(pid), int(start), place)

    @property
    def is_of_this_place(self) -> bool:
        """Return whether it is, or was, a process of our own table, which alone we can speak of."""
        return self.place == here()

    @property
    def may_be_of_this_place(self) -> bool:
        """Return the same, and true where the system says of no process where it is."""
        return self.is_of_this_place or (here() is None and self.place.startswith(UNKNOWN))

    @property
    def number_is_taken(self) -> bool:
        """Return whether some process has its number now, here."""
        try:
            os.kill(self.pid, 0)  # asks alone; of another user's process too, which /proc may hide from us
        except (ProcessLookupError, OverflowError):
            return False
        except OSError:
            pass
        return True

    @property
    def has_ended(self) -> bool:
        """Return whether it is known to have ended: never of another place, nor of one that may not be looked at."""
        if not self.is_of_this_place:
            return False
        if not self.number_is_taken:
            return True
        found = _state_and_start(self.pid)
        return found is not None and (found[0] in ENDED or found[1] != self.start)


def this_process() -> ProcessIdentity:
    """Return the process that asks; the same as long as it lives."""
    return _of(os.getpid())


def process_of(pid: int) -> ProcessIdentity:
    """Return the process that has this number now, here; raise ProcessLookupError where there is none to be seen."""
    found, place = _state_and_start(pid), here()
    if found is None or place is None:
        raise ProcessLookupError(f"expected a process {pid}, found none")
    return ProcessIdentity(pid, found[1], place)


@lru_cache(maxsize=1)
def _of(pid: int) -> ProcessIdentity:
    found, place = _state_and_start("self"), here()
    if found is None or place is None:  # nobody can tell from outside whether it lives; and no other one is called so
        return ProcessIdentity(pid, 0, f"{UNKNOWN}{secrets.token_hex(16)}")
    return ProcessIdentity(pid, found[1], place)


@lru_cache(maxsize=1)
def here() -> str | None:
    """Return our place; None where the system does not say, or shows the processes of another place than ours."""
    try:
        boot = BOOT_ID.read_text().strip().replace("-", "")
        table = _number(NAMESPACES / "pid")
        shown = os.readlink("/proc/self")
    except (OSError, ValueError):
        return None
    clock = "0"
    with suppress(OSError, ValueError):  # before Linux 5.6 all have the same
        clock = _number(NAMESPACES / "time")
    if len(boot) != 32 or not boot.isalnum() or shown != str(os.getpid()):
        return None
    return f"{boot}.{table}.{clock}"


def _number(namespace: Path) -> str:
    """Return the number of a namespace, of a link such as `pid:[4026531836]`."""
    number = os.readlink(namespace).partition("[")[2].rstrip("]")
    return str(int(number))


def _state_and_start(pid: int | str) -> tuple[str, int] | None:
    """Return the state of a process and its start in clock ticks; None where /proc does not show it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return fields[0].decode("ascii"), int(fields[START_FIELD])
    except (OSError, ValueError, IndexError):
        return None
