"""How good a model is on the films that its decision gives a label, and how many it leaves to a person."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer.evaluation.reading import Readings
from trainer.statistics.figures import share
from trainer.statistics.intervals import named_estimates


def decided(readings: Readings, **draws: int) -> dict[str, Any] | None:
    """Return the figures of the decision; None where the readings have none.

    draws: as `trainer.statistics.intervals.estimates` takes them.

    coverage: share of the films that are given a label. accuracy: share of these whose label is right. By label,
    with an uncertain film called by none: sensitivity, specificity, and precision, the share of the films called so
    that have it, which holds for films with these shares of the labels alone.
    """
    if readings.said is None:
        return None
    said, targets = readings.said, readings.targets
    predicted = readings.probabilities.argmax(axis=1)
    everything = np.ones(len(said), dtype=bool)
    overall = {"coverage": share(said, everything), "accuracy": share(predicted == targets, said)}
    labels: dict[str, Any] = {}
    for index, label in enumerate(readings.labels):
        called, positive = said & (predicted == index), targets == index
        figures = {
            "sensitivity": share(called, positive),
            "specificity": share(~called, ~positive),
            "precision": share(positive, called),
        }
        labels[label] = {"called": int(called.sum())} | named_estimates(figures, readings.patients, **draws)
    return {
        "n": len(said),
        "said": int(said.sum()),
        **named_estimates(overall, readings.patients, **draws),
        "labels": labels,
    }
