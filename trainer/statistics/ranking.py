"""Films in the order of a score, for the figures that walk down it."""

from __future__ import annotations

import numpy as np

from trainer.statistics.figures import Booleans, Floats


class Ranking:
    """Films from the highest score to the lowest; films of one score are one step, whatever order they came in.

    scores: the score of each step, (steps,), falling.
    """

    def __init__(self, scores: Floats) -> None:
        self._order = np.argsort(-scores, kind="stable")
        ranked = scores[self._order]
        self._ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], len(ranked) > 0))
        self.scores: Floats = ranked[self._ends]

    def cumulative(self, weights: Floats, among: Booleans) -> Floats:
        """Return the weight of the films in `among` with at least each step's score, (replicates, steps).

        weights: (replicates, n). among: (n,).
        """
        ranked = weights[:, self._order] * among[self._order]
        return np.cumsum(ranked, axis=1)[:, self._ends]
