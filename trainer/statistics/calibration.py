"""Whether a probability means what it says, and the temperature that makes it so.

Temperature scaling: Guo, Pleiss, Sun and Weinberger 2017, "On Calibration of Modern Neural Networks". One
number divides the logits; it is fitted on validation patients and changes no ranking and no label.
"""

from __future__ import annotations

import numpy as np

from schemas.errors import DataError
from trainer.statistics.figures import Floats, Integers
from trainer.statistics.reliability import BINS, equal_mass_bins

TEMPERATURE_RANGE = (0.5, 10.0)
"""Where the search ends: a few films that are all called right would ask for a temperature of 0, certainty."""


def log_loss(logits: Floats, targets: Integers, temperature: float = 1.0) -> float:
    """Return the mean of -ln(probability of the true label)."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    shifted = scaled - scaled.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    return float(np.mean(log_sum - shifted[np.arange(len(targets)), targets]))


def fit_temperature(logits: Floats, targets: Integers) -> float:
    """Return the temperature of the least log loss on these films, which must not be training films.

    The loss is convex in 1 / temperature, so a ternary search finds its one minimum.
    Raises DataError when there are no films.
    """
    if len(targets) == 0:
        raise DataError("expected validation films to fit a temperature on, found none")
    low, high = 1 / TEMPERATURE_RANGE[1], 1 / TEMPERATURE_RANGE[0]
    for _ in range(100):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        if log_loss(logits, targets, 1 / left) < log_loss(logits, targets, 1 / right):
            high = right
        else:
            low = left
    return float(2 / (low + high))


def expected_calibration_error(probabilities: Floats, targets: Integers, bins: int = BINS) -> float:
    """Return the mean gap between confidence and accuracy over bins of equal mass, weighted by size."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == targets
    gaps = [abs(float(confidence[part].sum() - right[part].sum())) for part in equal_mass_bins(confidence, bins)]
    return sum(gaps) / len(targets)


def brier_score(probabilities: Floats, targets: Integers) -> float:
    """Return the mean over films of the squared error summed over labels, from 0 to 2 (Brier 1950)."""
    truth = np.eye(probabilities.shape[1])[targets]
    return float(np.mean(((probabilities - truth) ** 2).sum(axis=1)))
