"""Computes a pace: over the whole time, and after the start-up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """One turn. whole: images/s from the command to its end. steady: images/s from its first batches to its last."""

    whole: float
    steady: float

    @classmethod
    def of(cls, seconds: float, ends: Iterable[tuple[float, int]], workers: int) -> Pace:
        """Return the pace of a turn of `seconds`; ends: when each batch was done, seconds, and how many images it had.

        The steady part begins when as many batches are done as there are workers, so that no start is in it.
        """
        done = sorted(ends)
        images = sum(count for _, count in done)
        first, rest = done[:workers][-1][0], done[workers:]
        steady = sum(count for _, count in rest) / (rest[-1][0] - first) if rest else float("nan")
        return cls(images / seconds, steady)


def middle_pace(ends: Iterable[tuple[float, int]], workers: int) -> float:
    """Return images/s between the first batches of all workers and their last, in which some have no work any more.

    ends: when each batch was done, seconds, and how many images it had. nan where there are too few.
    """
    done = sorted(ends)
    middle = done[workers : len(done) - workers]
    if not middle or (seconds := middle[-1][0] - done[workers - 1][0]) <= 0:
        return float("nan")
    return sum(count for _, count in middle) / seconds
