"""The figures of merit of a classifier, each as a function of the weights of the films.

A figure is made once from predictions and truth, and then takes weights of shape (replicates, n) and
returns one value a replicate: ones give the figure itself, the multiplicities of a bootstrap give its
spread (`trainer.statistics.intervals`). So the figure and its interval come from the same code. A value is NaN where
it is undefined: a sensitivity without a positive film, an AUROC without both kinds.

Definitions: Fawcett 2006, "An introduction to ROC analysis", Pattern Recognition Letters 27.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Integers = NDArray[np.int64]
Figure = Callable[[Floats], Floats]
"""Weights (replicates, n) -> values (replicates,)."""


def share(hit: Booleans, among: Booleans) -> Figure:
    """Return the share of `hit` among the films in `among`; both have shape (n,)."""
    hits, counted = (hit & among).astype(np.float64), among.astype(np.float64)

    def figure(weights: Floats) -> Floats:
        return ratio(weights @ hits, weights @ counted)

    return figure


def accuracy(targets: Integers, predicted: Integers) -> Figure:
    """Return the share of films whose label is right."""
    return share(targets == predicted, np.ones(len(targets), dtype=bool))


def sensitivity(targets: Integers, predicted: Integers, label: int) -> Figure:
    """Return the share of the films of `label` that are called so."""
    return share(predicted == label, targets == label)


def specificity(targets: Integers, predicted: Integers, label: int) -> Figure:
    """Return the share of the films of other labels that are not called `label`."""
    return share(predicted != label, targets != label)


def balanced_accuracy(targets: Integers, predicted: Integers, classes: int) -> Figure:
    """Return the mean sensitivity over the labels that occur."""
    sensitivities = [sensitivity(targets, predicted, label) for label in range(classes)]

    def figure(weights: Floats) -> Floats:
        values = np.stack([of_label(weights) for of_label in sensitivities])
        occurs = ~np.isnan(values)
        return ratio(np.where(occurs, values, 0.0).sum(axis=0), occurs.sum(axis=0).astype(np.float64))

    return figure


def auroc(positive: Booleans, scores: Floats) -> Figure:
    """Return the area under the ROC curve: how often a positive film scores above a negative one.

    A tie counts half (the Mann-Whitney statistic), which equals the trapezium rule on the curve.
    """
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    # Films of one score form one step of the curve.
    steps = (
        np.flatnonzero(np.concatenate(([True], ranked[1:] != ranked[:-1]))) if len(ranked) else np.zeros(0, np.int64)
    )
    is_positive = positive[order].astype(np.float64)

    def figure(weights: Floats) -> Floats:
        if not len(ranked):
            return np.full(len(weights), np.nan)
        ranked_weights = weights[:, order]
        positives = np.add.reduceat(ranked_weights * is_positive, steps, axis=1)
        negatives = np.add.reduceat(ranked_weights * (1.0 - is_positive), steps, axis=1)
        below = np.cumsum(negatives, axis=1) - negatives
        wins = (positives * (below + 0.5 * negatives)).sum(axis=1)
        return ratio(wins, positives.sum(axis=1) * negatives.sum(axis=1))

    return figure


def macro_auroc(targets: Integers, probabilities: Floats) -> Figure:
    """Return the mean of each label's one-against-the-rest AUROC; NaN unless every label occurs."""
    areas = [auroc(targets == label, probabilities[:, label]) for label in range(probabilities.shape[1])]
    return mean_of(areas)


def mean_of(figures: Sequence[Figure]) -> Figure:
    """Return the plain mean of some figures; NaN where one of them is."""

    def figure(weights: Floats) -> Floats:
        return np.asarray(np.mean([each(weights) for each in figures], axis=0), dtype=np.float64)

    return figure


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Return numerator / denominator, NaN where that is 0; both have one shape."""
    undefined = np.full(np.shape(denominator), np.nan)
    np.divide(numerator, denominator, out=undefined, where=denominator > 0)
    return undefined
