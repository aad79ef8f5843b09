"""An average of the weights over the steps, judged and kept instead of the last step's weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from wetread.engine.array import Array
from wetread.engine.callback import Callback, Training


class WeightAverage(Callback):
    """An exponential moving average of all weights, moving statistics of batch normalisation included.

    After step t, counted from 1, average = d * average + (1 - d) * weights, from the first weights on, with
    d = min(decay, (1 + t) / (10 + t)): without that bound the first weights would weigh for 1 / (1 - decay) steps.
    The run's validation figures and its final weights are the average's; figures of training batches stay those
    of the weights that take the steps.

    decay: above 0, below 1. weights: the first ones, "layer/weight" -> array.
    Source: Polyak & Juditsky, Acceleration of stochastic approximation by averaging, 1992; the bound is that of
    TensorFlow's ExponentialMovingAverage with num_updates.
    """

    name = "average"

    def __init__(self, decay: float, weights: Mapping[str, Array]) -> None:
        self.decay = decay
        self.steps = 0
        self._types = {name: array.dtype for name, array in weights.items()}
        # A step's part of float32 weights is often below their rounding.
        self._average = {name: np.array(array, np.float64) for name, array in weights.items()}

    def add(self, weights: Mapping[str, Array]) -> None:
        """Take the weights after a step into the average."""
        self.steps += 1
        share = 1 - min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, average in self._average.items():
            average += share * (weights[name] - average)

    def on_batch_end(self, training: Training) -> None:
        """Take the learner's weights in."""
        self.add(training.learner.weights())

    def judged_weights(self) -> dict[str, Array]:
        """Return the average, in the weights' own type."""
        return {name: average.astype(self._types[name]) for name, average in self._average.items()}

    def memory(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return the average and its steps."""
        return self._average, {"steps": self.steps}

    def remember(self, arrays: Mapping[str, Array], record: Mapping[str, Any]) -> None:
        """Take what `memory` returned."""
        self._average = {name: array.copy() for name, array in arrays.items()}
        self.steps = record["steps"]
