"""What a watch is told: which roots, by which model, and how often it looks."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from schemas.films import ACCEPTED, Accepted
from schemas.walk_rules import USUAL_WALK, WalkRules


@dataclass(frozen=True, slots=True)
class WatchOrder:
    """What to watch ({id: path}), by which model and shadow (digests, asked anew for each run), and how often.

    still, age, walk_seconds: seconds that a file stands still, that a batch waits, between walks.
    listens: the kernel is asked for news. rules: how the roots are walked. allowed: where links may lead to beside
    them. accepted: words of DICOM headers that are read although they name something else.
    """

    roots: dict[int, bytes]
    models: Callable[[], tuple[str, str | None]]
    engine: str
    workers: int
    still: float
    age: float
    walk_seconds: float
    listens: bool
    rules: WalkRules = USUAL_WALK
    allowed: Mapping[int, bytes] = field(default_factory=dict)
    accepted: Accepted = ACCEPTED

    @property
    def every_root(self) -> dict[int, bytes]:
        """Return {id: path} of the roots and of those that links may lead to."""
        return {**self.roots, **self.allowed}


def is_listening_useful(paths: list[bytes]) -> bool:
    """Return whether the kernel hears of all that is written there: not on a network's file system."""
    from wetread.network_disk import network_file_system

    return not any(network_file_system(os.path.realpath(path)) for path in paths)
