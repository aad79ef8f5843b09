"""Fits a model's temperature and thresholds, both on validation patients alone.

A label is said of a film when it is the most probable one and its probability reaches the label's threshold;
otherwise the film is `uncertain`, and a person's. A threshold is the lowest that keeps a stated specificity on
the validation films, so that as few films as may be are left to a person. Unlike an operating point of an
evaluation (`trainer.statistics.operating_points`) it is not chosen on the films that it is judged by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trainer.statistics.calibration import fit_temperature
from trainer.statistics.figures import Booleans, Floats, Integers
from trainer.statistics.operating_points import SPECIFICITY
from wetread.models.decision import probabilities, said

_ROUNDING = 1e-9
"""0.05 of 60 films is 3.0000000000000027 in floating point, and 0.07 of 100 is 7.000000000000001."""


@dataclass(frozen=True)
class FittedDecision:
    """The temperature, and each label's threshold at the stated specificity, as `decision.json` has them."""

    temperature: float
    thresholds: Mapping[str, float]
    specificity: float


def fit_decision(
    logits: Floats, targets: Integers, labels: tuple[str, ...], specificity: float = SPECIFICITY
) -> FittedDecision:
    """Fit on validation films: logits (n, labels), targets (n,) the index of each film's label.

    specificity: from 0, at which every film is given its most probable label, to 1.
    """
    temperature = fit_temperature(logits, targets)
    shares = probabilities(logits, temperature)
    thresholds = {
        label: lowest_threshold(targets == index, shares[:, index], specificity) for index, label in enumerate(labels)
    }
    return FittedDecision(temperature, thresholds, specificity)


def lowest_threshold(positive: Booleans, scores: Floats, specificity: float) -> float:
    """Return the lowest threshold from 0 to 1 at which at least `specificity` of the other films are below it.

    positive: whether each film has the label, (n,). scores: the label's probability, (n,). Films of one probability
    are called together. Above the highest score of a film that must not be called it is the next number. Known
    limit: where more such films than are allowed have a probability of exactly 1, it is 1 and calls them too.
    """
    others = np.sort(scores[~positive])[::-1]
    allowed = int((1.0 - specificity) * len(others) + _ROUNDING)
    if allowed >= len(others):
        return 0.0
    return min(1.0, float(np.nextafter(others[allowed], np.inf)))


def said_of(shares: Floats, labels: tuple[str, ...], thresholds: Mapping[str, float]) -> Booleans:
    """Return whether each film is given its most probable label, (n,), or left `uncertain`."""
    return said(shares, shares.argmax(axis=1), thresholds, labels)
