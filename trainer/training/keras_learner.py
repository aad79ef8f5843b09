"""A Keras model as what the epoch loop trains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from schemas.errors import ArtefactError
from trainer.training.keras_step import Step
from trainer.training.lesson import Lesson
from wetread.engine.array import Array, Labels
from wetread.engine.learner import Memory
from wetread.models.keras_network import get_weights, set_weights


@dataclass
class KerasLearner:
    """A model of the lesson's architecture, its optimizer, and what TensorFlow compiled of them.

    take: one step. read: images (n, h, w, c) -> logits (n, classes), without learning.
    """

    lesson: Lesson
    model: Any
    optimizer: Any
    take: Step
    read: Callable[[Array], Array]
    learning_rate: float = 0.0

    @property
    def iterations(self) -> int:
        """Steps taken."""
        return int(self.optimizer.iterations.numpy())

    def step(self, X: Array, labels: Labels) -> tuple[float, Array]:
        """Take one step; return its loss and logits, from before it."""
        return self.take(X, labels, self.learning_rate)

    def evaluate(self, X: Array, labels: Labels) -> tuple[float, float]:
        """Return the mean loss and the accuracy, without learning anything."""
        logits = self.read(X)
        return self.lesson.loss(logits, labels)[0], float((logits.argmax(axis=1) == labels).mean())

    def weights(self) -> dict[str, Array]:
        """Return a copy of the model's weights."""
        return dict(get_weights(self.model))

    def load(self, weights: Mapping[str, Array]) -> None:
        """Give the model these weights."""
        set_weights(self.model, self.lesson.architecture, weights)

    def memory(self) -> Memory:
        """Return the optimizer's memory, its steps among it, and the state of each dropout's draws."""
        return {name: np.array(variable.numpy()) for name, variable in self._variables().items()}, {}

    def remember(self, arrays: Mapping[str, Array], record: Mapping[str, Any]) -> None:  # noqa: ARG002 - it has arrays alone
        """Take what `memory` returned; raise ArtefactError when it is of another network or optimizer."""
        variables = self._variables()
        if missing := sorted(variables.keys() - arrays.keys()):
            raise ArtefactError(f"expected a checkpoint with {', '.join(missing)}, found none: begin anew")
        for name, variable in variables.items():
            variable.assign(arrays[name])

    def _variables(self) -> dict[str, Any]:
        slots = {f"slots/{place}": variable for place, variable in enumerate(self.optimizer.variables)}
        return slots | {
            f"generators/{layer.name}": layer.seed_generator.state
            for layer in self.model.layers
            if hasattr(layer, "seed_generator")
        }
