"""Adagrad."""

from __future__ import annotations

import numpy as np

from wetread.engine.array import Array
from wetread.engine.optimizers.optimizer import Optimizer


class Adagrad(Optimizer):
    """A ← A + dW²; W ← W - η dW / √(A + ε). A begins at 0.1; ε is inside the root.

    Source: Duchi, Hazan and Singer, Adaptive subgradient methods for online learning, JMLR 2011.
    """

    def __init__(
        self, learning_rate: float = 0.001, initial_accumulator_value: float = 0.1, epsilon: float = 1e-7
    ) -> None:
        super().__init__(learning_rate)
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def initial_slots(self, W: Array) -> dict[str, Array]:
        """Return A at its first value."""
        return {"accumulator": np.full_like(W, self.initial_accumulator_value)}

    def update(self, W: Array, dW: Array) -> None:
        """Change W and A in place."""
        A = self.slots["accumulator"]
        A += np.square(dW)
        root = A + self.epsilon
        step = dW * self.learning_rate
        step /= np.sqrt(root, out=root)
        W -= step
