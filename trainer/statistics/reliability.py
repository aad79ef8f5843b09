"""The bins of a reliability diagram: whether films of one confidence are right as often as it says.

Equal mass rather than equal width: otherwise most films of a sure model fall into one bin (Nixon et al. 2019,
"Measuring Calibration in Deep Learning"). The confidence is the highest probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainer.statistics.figures import Floats, Integers, share
from trainer.statistics.intervals import named_estimates

BINS = 10


def equal_mass_bins(confidence: Floats, bins: int = BINS) -> list[Integers]:
    """Return the films of each bin, the least confident first; their sizes differ by one at most, and none is empty.

    confidence: (n,).
    """
    order = np.argsort(confidence, kind="stable")
    return [part for part in np.array_split(order, bins) if len(part)]


def reliability(
    probabilities: Floats, targets: Integers, patients: Sequence[str], **draws: int
) -> list[dict[str, Any]]:
    """Return, for each bin, its films, their mean confidence and their accuracy with its interval by patient.

    probabilities: (n, labels). targets: (n,). The bins stay the same in every draw of the bootstrap.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == targets
    bins = equal_mass_bins(confidence)
    within = {str(number): share(right, np.isin(np.arange(len(right)), films)) for number, films in enumerate(bins)}
    accuracies = named_estimates(within, patients, **draws)
    return [
        {"n": len(films), "confidence": float(confidence[films].mean()), "accuracy": accuracies[str(number)]}
        for number, films in enumerate(bins)
    ]
