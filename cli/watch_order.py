"""What a watch is told: which roots, by which model, and how often it looks."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from schemas.films import ACCEPTED, Accepted


@dataclass(frozen=True, slots=True)
class WatchOrder:
    """What to watch ({id: path}), by which model and shadow (digests, asked anew for each run), and how often.

    still, age, walk_seconds: seconds that a file stands still, that a batch waits, between walks.
    listens: the kernel is asked for news. accepted: words of DICOM headers that are read although they name something
    else.
    """

    roots: dict[int, bytes]
    models: Callable[[], tuple[str, str | None]]
    engine: str
    workers: int
    still: float
    age: float
    walk_seconds: float
    listens: bool
    accepted: Accepted = ACCEPTED


def is_listening_useful(paths: list[bytes]) -> bool:
    """Return whether the kernel hears of all that is written there: not on a network's file system."""
    from wetread.network_disk import network_file_system

    return not any(network_file_system(os.path.realpath(path)) for path in paths)
