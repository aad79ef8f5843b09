"""What every optimizer is."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from wetread.engine.array import Array


class Optimizer:
    """An update rule and its memory for one array of parameters, such as a network's parameter vector.

    learning_rate: η, which a schedule may change before each step.
    iterations: steps taken.
    slots: what the rule remembers between steps, name -> array of the parameters' shape.

    Rules and defaults are those of Keras 3, so that a network trained on either takes the same way.
    """

    slot_names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate
        self.iterations = 0
        self.slots: dict[str, Array] = {}

    def step(self, W: Array, dW: Array) -> None:
        """Take one step: change the parameters W in place by the rule, for the gradient dW of W's shape."""
        if not self.slots:
            self.slots = self.initial_slots(W)
        self.update(W, dW)
        self.iterations += 1

    def initial_slots(self, W: Array) -> dict[str, Array]:
        """Return the memory before the first step: zeros."""
        return {name: np.zeros_like(W) for name in self.slot_names}

    def update(self, W: Array, dW: Array) -> None:
        """Change W and the slots in place."""
        raise NotImplementedError

    def settings(self) -> dict[str, float | bool]:
        """Return the rule's numbers by name, for a record of what was trained how."""
        return {name: value for name, value in vars(self).items() if name not in {"slots", "iterations"}}
