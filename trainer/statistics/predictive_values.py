"""Predictive values at an archive's prevalence, rather than at that of the test films.

By Bayes' rule from sensitivity s, specificity c and the prevalence p (Altman and Bland 1994, "Diagnostic
tests 2: predictive values", BMJ 309):

    positive predictive value = s p / (s p + (1 - c) (1 - p))
    negative predictive value = c (1 - p) / (c (1 - p) + (1 - s) p)

It holds as far as sensitivity and specificity do not change with the prevalence, which they often do: films of a
screening show milder disease and other findings than those that were collected for training.
"""

from __future__ import annotations

from trainer.statistics.figures import Figure, Floats, ratio

PREVALENCE = 0.05
"""The share of an archive's films that have a label, where nobody states another."""


def positive_predictive_value(sensitivity: Figure, specificity: Figure, prevalence: float) -> Figure:
    """Return how often a film that is called so has the label; NaN where none is called."""

    def figure(weights: Floats) -> Floats:
        right = sensitivity(weights) * prevalence
        wrong = (1.0 - specificity(weights)) * (1.0 - prevalence)
        return ratio(right, right + wrong)

    return figure


def negative_predictive_value(sensitivity: Figure, specificity: Figure, prevalence: float) -> Figure:
    """Return how often a film that is not called so has another label; NaN where all are called."""

    def figure(weights: Floats) -> Floats:
        right = specificity(weights) * (1.0 - prevalence)
        wrong = (1.0 - sensitivity(weights)) * prevalence
        return ratio(right, right + wrong)

    return figure
