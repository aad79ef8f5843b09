"""Logistic regression of two classes, with a ridge.

Hastie, Tibshirani and Friedman 2009, "The Elements of Statistical Learning", sections 4.4 and 3.4.1.
"""

from __future__ import annotations

import numpy as np

from schemas.errors import DataError
from trainer.statistics.figures import Booleans, Floats

_STEPS = 50
_TOLERANCE = 1e-9


def fit_weighted_logistic(inputs: Floats, positive: Booleans, shares: Floats, ridge: float) -> tuple[Floats, float]:
    """Return the weights (f,) and the bias of the log odds of `positive`.

    inputs: (n, f). shares: (n,) how much each counts; they should sum to 1. ridge: above 0; the penalty is
    ridge / 2 times the sum of squared weights, the bias left out. The loss is convex, and Newton's method with
    halved steps finds its one minimum. Raises DataError unless both kinds are there.
    """
    if positive.all() or not positive.any():
        raise DataError("expected examples of both kinds, found one kind alone")
    design = np.hstack([inputs, np.ones((len(inputs), 1))])
    penalty = np.full(design.shape[1], ridge)
    penalty[-1] = 0.0
    signs = np.where(positive, 1.0, -1.0)

    def loss(weights: Floats) -> float:
        margins = signs * (design @ weights)
        return float(shares @ np.logaddexp(0.0, -margins) + penalty @ weights**2 / 2)

    weights = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        odds = np.clip(design @ weights, -500, 500)
        chance = 1 / (1 + np.exp(-odds))
        slope = design.T @ (shares * (chance - positive)) + penalty * weights
        curve = (design * (shares * chance * (1 - chance))[:, None]).T @ design + np.diag(penalty)
        curve[-1, -1] += 1e-12
        step = np.linalg.solve(curve, slope)
        size, before = 1.0, loss(weights)
        while loss(weights - size * step) > before and size > 1e-6:
            size /= 2
        weights = weights - size * step
        if np.abs(step).max() * size < _TOLERANCE:
            break
    return weights[:-1], float(weights[-1])
