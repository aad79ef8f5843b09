"""Times contenders in turns, so that other load on the machine meets all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median

WARM_UP_ROUNDS = 2


def time_in_turns(contenders: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return each contender's seconds a call, round by round; its first calls are not counted."""
    for _ in range(WARM_UP_ROUNDS):
        for run in contenders.values():
            run()
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
    return seconds


def ratio(seconds: Mapping[str, list[float]], name: str, reference: str) -> float:
    """Return the median over rounds of `name`'s time by `reference`'s in the same round."""
    return median(a / b for a, b in zip(seconds[name], seconds[reference], strict=True))
