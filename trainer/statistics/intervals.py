"""95% intervals of figures, by bootstrap over patients.

Films of one patient resemble each other, so patients, not films, are drawn with replacement (the cluster
bootstrap; Efron and Tibshirani 1993, chapter 8; Davison and Hinkley 1997, section 3.8). The interval is the 2.5th
to the 97.5th percentile of the figure over the replicates. Known limit: where the figure is at its end,
such as an accuracy of 1, the interval has no width, which says less than it seems.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.statistics.figures import Figure, Floats

REPLICATES = 2000
_WEIGHTS_AT_ONCE = 4_000_000
"""Numbers held at a time: 32 MB whatever the size of the data."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95% interval."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """Return the JSON form."""
        return {"value": self.value, "low": self.low, "high": self.high}

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def estimates(
    figures: Sequence[Figure], patients: Sequence[str], *, seed: int = 0, replicates: int = REPLICATES
) -> list[Estimate | None]:
    """Return each figure with its interval, all over the same draws; None where it is undefined.

    patients: the patient of each film, in the films' order.
    """
    count = len(patients)
    if count == 0:
        return [None] * len(figures)
    values = [float(figure(np.ones((1, count)))[0]) for figure in figures]
    drawn: list[list[Floats]] = [[] for _ in figures]
    for weights in _draws(patients, seed, replicates):
        for figure, collected in zip(figures, drawn, strict=True):
            collected.append(figure(weights))
    return [_estimate(value, np.concatenate(spread)) for value, spread in zip(values, drawn, strict=True)]


def named_estimates(figures: Mapping[str, Figure], patients: Sequence[str], **draws: int) -> dict[str, Any]:
    """Return name -> {"value", "low", "high"}, or None where the figure is undefined, as JSON has it.

    draws: seed and replicates, as for `estimates`.
    """
    found = estimates(list(figures.values()), patients, **draws)
    return {name: None if value is None else value.to_json() for name, value in zip(figures, found, strict=True)}


def _estimate(value: float, spread: Floats) -> Estimate | None:
    defined = spread[~np.isnan(spread)]
    if np.isnan(value) or not len(defined):
        return None
    low, high = np.percentile(defined, (2.5, 97.5))
    return Estimate(value, float(low), float(high))


def _draws(patients: Sequence[str], seed: int, replicates: int) -> Iterator[Floats]:
    """Yield weights (some replicates, n): how often each film's patient was drawn."""
    names, patient_of = np.unique(np.asarray(patients, dtype=object).astype(str), return_inverse=True)
    generator = np.random.default_rng(seed)
    chance = np.full(len(names), 1 / len(names))
    at_once = max(1, _WEIGHTS_AT_ONCE // len(patient_of))
    for start in range(0, replicates, at_once):
        size = min(at_once, replicates - start)
        drawn: NDArray[np.int64] = generator.multinomial(len(names), chance, size=size)
        yield drawn[:, patient_of].astype(np.float64)
