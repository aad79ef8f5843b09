"""Failpoints for tests: a worker, receiver or sender dies, hangs, freezes, raises or eats memory at a named point.

    WETREAD_FAILPOINT=POINT:DEED            each time that the point is reached
    WETREAD_FAILPOINT=POINT:DEED:TIMES      so often at most, counted across processes in WETREAD_FAILPOINT_COUNTS
    WETREAD_FAILPOINT=decode=SHA256:DEED    only for the film with these bytes; several are parted by commas
    WETREAD_FAILPOINT=network=64:raise      only for so many films together

Nothing happens unless the variable is set. A worker process whose variable is set says so in its log, and refuses
one that it cannot read, since a fault that was asked for and does not come would prove what is not so.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import structlog

from schemas.errors import UsageError

VARIABLE = "WETREAD_FAILPOINT"
COUNTS = "WETREAD_FAILPOINT_COUNTS"

POINTS = (
    "claimed",
    "file",
    "decode",
    "read",
    "network",
    "classified",
    "before_commit",
    "committed",
    "before_acknowledge",
    "received_part",
    "received_synced",
    "received_renamed",
    "received_committed",
    "received_answered",
    "delivery_attempt",
    "delivery_taken",
    "delivery_sent",
)
"""As a batch reaches them; file and decode once a film, the others once a batch, or once an image alone. Those of what
is received are of the receiver, once a film."""

MOUTHFUL = 16 * 1024 * 1024
"""Bytes that `eat` takes at a time."""


def _eat() -> None:
    eaten = []
    while True:
        eaten.append(b"\x01" * MOUTHFUL)


def _raise() -> None:
    raise RuntimeError("raised on purpose, for a test")


DEEDS: dict[str, Callable[[], object]] = {
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "abort": os.abort,
    "hang": lambda: threading.Event().wait(),
    "stop": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "eat": _eat,
    "raise": _raise,
}


@dataclass(frozen=True, slots=True)
class Failpoint:
    """What is to happen where. key: of what alone; times: how often at most, None for always."""

    point: str
    key: str
    deed: str
    times: int | None


def reach(point: str, key: str = "") -> None:
    """Do what WETREAD_FAILPOINT asks for here, if anything.

    key: the SHA-256 of the film in hand, at `decode`; how many films, at `network`.
    """
    for failpoint in armed():
        if failpoint.point == point and failpoint.key in ("", key) and _is_due(failpoint):
            DEEDS[failpoint.deed]()


@lru_cache(maxsize=1)
def armed() -> tuple[Failpoint, ...]:
    """Return the faults that this process was asked for; raise UsageError for text that names none."""
    failpoints = tuple(_parsed(text) for text in os.environ.get(VARIABLE, "").split(",") if text)
    if failpoints:
        structlog.get_logger().warning("this process fails on purpose, for a test", variable=VARIABLE)
    return failpoints


def _parsed(text: str) -> Failpoint:
    place, _, rest = text.partition(":")
    point, _, key = place.partition("=")
    deed, _, times = rest.partition(":")
    if point not in POINTS or deed not in DEEDS or not (times == "" or times.isdecimal()):
        raise UsageError(
            f"expected {VARIABLE}=POINT:DEED[:TIMES], with a point of {', '.join(POINTS)} and a deed of "
            f"{', '.join(DEEDS)}, found {text!r}; unset it: it is for tests"
        )
    if times and not Path(os.environ.get(COUNTS, "")).is_absolute():
        raise UsageError(f"expected {COUNTS} to name a directory for the counts of {text!r}, found none; unset both")
    return Failpoint(point, key, deed, int(times) if times else None)


def _is_due(failpoint: Failpoint) -> bool:
    """Return whether it has not happened often enough; each time is a file, which one process alone can make."""
    if failpoint.times is None:
        return True
    for number in range(failpoint.times):
        try:
            (Path(os.environ[COUNTS]) / f"{failpoint.point}.{failpoint.deed}.{number}").touch(exist_ok=False)
        except FileExistsError:
            continue
        return True
    return False
