"""Multinomial logistic regression, with a ridge.

Hastie, Tibshirani and Friedman 2009, "The Elements of Statistical Learning", section 4.4.
"""

from __future__ import annotations

import numpy as np

from schemas.errors import DataError
from trainer.statistics.figures import Floats, Integers

_STEPS = 60
_TOLERANCE = 1e-7


def fit_softmax(inputs: Floats, targets: Integers, shares: Floats, ridge: float) -> tuple[Floats, Floats]:
    """Return weights (f, k) and biases (k,) of the log odds of k kinds, up to a constant.

    inputs: (n, f). targets: (n,) from 0 to k - 1, each of them there. shares: (n,) how much each counts; they sum to 1.
    ridge: above 0; the penalty is ridge / 2 times the sum of squared weights, on biases a thousandth of that. The loss
    is convex, and Newton's method with halved steps finds its one minimum. Raises DataError where a kind has none.
    """
    kinds = int(targets.max(initial=0)) + 1
    if kinds < 2 or np.bincount(targets, minlength=kinds).min() == 0:
        raise DataError("expected examples of each of two kinds or more, found a kind without any")
    design = np.hstack([inputs, np.ones((len(inputs), 1))])
    wanted = np.eye(kinds)[targets]
    penalty = np.full((design.shape[1], 1), ridge)
    penalty[-1] = ridge / 1000
    weights = np.zeros((design.shape[1], kinds))
    before, chances = _loss(weights, design, wanted, shares, penalty)
    for _ in range(_STEPS):
        slope = design.T @ ((chances - wanted) * shares[:, None]) + penalty * weights
        step = np.linalg.solve(_curve(design, chances, shares, penalty), slope.T.reshape(-1))
        step = step.reshape(kinds, -1).T
        size = 1.0
        after, moved = _loss(weights - step, design, wanted, shares, penalty)
        while after > before and size > 1e-6:
            size /= 2
            after, moved = _loss(weights - size * step, design, wanted, shares, penalty)
        weights, before, chances = weights - size * step, after, moved
        if np.abs(step).max() * size < _TOLERANCE:
            break
    return weights[:-1], weights[-1]


def _loss(weights: Floats, design: Floats, wanted: Floats, shares: Floats, penalty: Floats) -> tuple[float, Floats]:
    odds = design @ weights
    odds -= odds.max(axis=1, keepdims=True)
    logs = odds - np.log(np.exp(odds).sum(axis=1, keepdims=True))
    return float(-(shares @ (logs * wanted).sum(axis=1)) + (penalty * weights**2).sum() / 2), np.exp(logs)


def _curve(design: Floats, chances: Floats, shares: Floats, penalty: Floats) -> Floats:
    """Return the matrix of second derivatives, (k f, k f), kind by kind."""
    kinds = chances.shape[1]
    rows = []
    for one in range(kinds):
        blocks = []
        for other in range(kinds):
            how = shares * chances[:, one] * ((one == other) - chances[:, other])
            blocks.append((design * how[:, None]).T @ design + (np.diag(penalty[:, 0]) if one == other else 0.0))
        rows.append(np.hstack(blocks))
    return np.vstack(rows)
