"""Learning rates that change as training goes on: step (from 0) -> η. The same values as Keras's schedules."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable
from dataclasses import dataclass

from schemas.errors import UsageError

Schedule = Callable[[int], float]
"""Optimizer step, counted from 0 -> learning rate."""


@dataclass(frozen=True, slots=True)
class PiecewiseConstant:
    """η = values[k] for steps up to and including boundaries[k], and values[-1] after the last boundary."""

    boundaries: tuple[int, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.values) != len(self.boundaries) + 1 or list(self.boundaries) != sorted(self.boundaries):
            raise UsageError(f"expected rising boundaries and one more value than boundaries, found {self}")

    def __call__(self, step: int) -> float:
        """Return η."""
        return self.values[bisect.bisect_left(self.boundaries, step)]


@dataclass(frozen=True, slots=True)
class ExponentialDecay:
    """η = initial · rate^(step / steps), or rate^⌊step / steps⌋ as a staircase."""

    initial: float
    steps: int
    rate: float
    staircase: bool = False

    def __post_init__(self) -> None:
        _check_steps(self.steps)

    def __call__(self, step: int) -> float:
        """Return η."""
        power = step // self.steps if self.staircase else step / self.steps
        return float(self.initial * self.rate**power)


@dataclass(frozen=True, slots=True)
class CosineDecay:
    """A straight rise from 0 to `peak` over `warmup` steps, then half a cosine down to `floor` · peak over `steps`.

    Source: Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017.
    """

    peak: float
    steps: int
    warmup: int = 0
    floor: float = 0.0

    def __post_init__(self) -> None:
        _check_steps(self.steps)

    def __call__(self, step: int) -> float:
        """Return η."""
        if step < self.warmup:
            return self.peak * step / self.warmup
        done = min(step - self.warmup, self.steps) / self.steps
        return self.peak * ((1 - self.floor) * 0.5 * (1 + math.cos(math.pi * done)) + self.floor)


def _check_steps(steps: int) -> None:
    if steps < 1:
        raise UsageError(f"expected at least one step of decay, found {steps}")
