"""Measures drift: the population stability index and the Kolmogorov-Smirnov distance.

    PSI = sum over bins of (a - e) ln(a / e)

where a is the share of the run's films in a bin and e that of the reference's (Siddiqi 2006, "Credit Risk Scorecards";
it is the symmetric divergence of Kullback and Leibler, which Jeffreys gave in 1946). Ten bins of nearly equal mass in
the reference, fewer where many films have one value. Half a film is added to each bin of both sides, or an empty bin
would make it infinite. By custom, below 0.1 is no shift, from 0.25 on a large one.

Few films differ by chance alone. Without any drift PSI is about chi-squared with bins - 1 degrees of freedom, times
(1 / n + 1 / m) for n and m films (Yurdakul and Naranjo 2020, "Statistical properties of the population stability
index"): `chance` is what it exceeds once in a thousand times. Only a PSI above both that and the limit is drift.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

BINS = 10

CHI_SQUARED_999 = (0.0, 10.828, 13.816, 16.266, 18.467, 20.515, 22.458, 24.322, 26.124, 27.877)
"""The 0.999 quantile of chi-squared, by degrees of freedom."""


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin: from `low` to below `high`, films of the run and of the reference in it."""

    low: float
    high: float
    films: int
    reference: int


@dataclass(frozen=True, slots=True)
class Drift:
    """How one figure of the films has moved.

    of: scores or inputs. films, reference_films: how many were compared. psi: None where a side has no films.
    chance: what PSI exceeds once in a thousand times without any drift. ks: the Kolmogorov-Smirnov distance, from 0
    to 1; None where the reference is known by its bins alone.
    """

    name: str
    of: str
    films: int
    reference_films: int
    bins: tuple[Bin, ...]
    psi: float | None
    chance: float | None
    ks: float | None

    def beyond(self, limit: float) -> bool:
        """Return whether it has moved by more than `limit`, and by more than chance explains."""
        return self.psi is not None and self.chance is not None and self.psi > max(limit, self.chance)


def psi(actual: Sequence[int], expected: Sequence[int]) -> float:
    """Return the population stability index of films counted in the same bins; 0 where they are spread alike.

    Raises ValueError when the bins differ in number.
    """
    n, m, half = sum(actual) + len(actual) / 2, sum(expected) + len(expected) / 2, 0.5
    shares = [((a + half) / n, (e + half) / m) for a, e in zip(actual, expected, strict=True)]
    return sum((a - e) * math.log(a / e) for a, e in shares)


def ks_distance(actual: Mapping[int, int], expected: Mapping[int, int]) -> float:
    """Return the largest gap between the two cumulative shares; {bin: films} of fine bins, both with films."""
    n, m, below_a, below_e, widest = sum(actual.values()), sum(expected.values()), 0, 0, 0.0
    for place in sorted({*actual, *expected}):
        below_a += actual.get(place, 0)
        below_e += expected.get(place, 0)
        widest = max(widest, abs(below_a / n - below_e / m))
    return widest


def equal_mass_edges(expected: Mapping[int, int], bins: int = BINS) -> list[int]:
    """Return the fine bins at which a new bin begins, ascending, at most bins - 1 of them.

    A fine bin belongs where the middle of its films falls among equal parts of the reference; what lies beyond all
    the reference's films falls into the last part.
    """
    total, below, part, edges = sum(expected.values()), 0, 0, []
    for place in sorted(expected):
        here = int(bins * (below + expected[place] / 2) / total)
        if here > part and below:
            edges.append(place)
        part = max(part, here)
        below += expected[place]
    return edges


def grouped(fine: Mapping[int, int], edges: Sequence[int]) -> list[int]:
    """Return the films in the len(edges) + 1 bins that begin at `edges`."""
    counts = [0] * (len(edges) + 1)
    for place, films in fine.items():
        counts[bisect_right(edges, place)] += films
    return counts


def measured(name: str, of: str, bins: Sequence[Bin], *, ks: float | None = None) -> Drift:
    """Return the drift that films counted in `bins` show."""
    films, reference = sum(one.films for one in bins), sum(one.reference for one in bins)
    if not films or not reference:
        return Drift(name, of, films, reference, tuple(bins), None, None, None)
    moved = psi([one.films for one in bins], [one.reference for one in bins])
    chance = CHI_SQUARED_999[min(len(bins) - 1, len(CHI_SQUARED_999) - 1)] * (1 / films + 1 / reference)
    return Drift(name, of, films, reference, tuple(bins), moved, chance, ks)
