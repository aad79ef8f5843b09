"""What a hostile case is: one thing in an archive, and what must become of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from schemas.reasons import Reason
from schemas.states import ItemState

PASSED_OVER = "passed over"
"""The walk looked at it and did not count it as a file."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case: a few words for the table, how it is made at a path, and the state and reason it must end with.

    reason: one of Reason's; for what is passed over, the kind under which `screen` counts it; "" when done.
    later: done to it between the walk and the read, for what happens to a file meanwhile.
    """

    what: str
    make: Callable[[bytes], None]
    state: str
    reason: str = ""
    later: Callable[[bytes], None] | None = None

    @property
    def made_of(self) -> str:
        """What became of it, in words."""
        return f"{self.state}: {self.reason}" if self.reason else self.state


def _written(build: Callable[[], bytes]) -> Callable[[bytes], None]:
    def make(path: bytes) -> None:
        with open(path, "wb") as file:
            file.write(build())

    return make


def read(what: str, build: Callable[[], bytes]) -> Case:
    """A strange file that is a film all the same."""
    return Case(what, _written(build), ItemState.DONE)


def refused(reason: Reason, what: str, build: Callable[[], bytes]) -> Case:
    """A file of these bytes, which is rejected."""
    return Case(what, _written(build), ItemState.REJECTED, reason)


def passed_over(kind: str, what: str, make: Callable[[bytes], None]) -> Case:
    """Something that is no file of the archive."""
    return Case(what, make, PASSED_OVER, kind)
