"""Adadelta."""

from __future__ import annotations

import numpy as np

from wetread.engine.array import Array
from wetread.engine.optimizers.optimizer import Optimizer


class Adadelta(Optimizer):
    """G ← ρ G + (1 - ρ) dW²; Δ = -√(D + ε) / √(G + ε) · dW; D ← ρ D + (1 - ρ) Δ²; W ← W + η Δ.

    The step's size comes from the steps before it; the paper's η is 1, Keras's default 0.001.

    Source: Zeiler, ADADELTA: an adaptive learning rate method, 2012.
    """

    slot_names = ("accumulated_grad", "accumulated_delta_var")

    def __init__(self, learning_rate: float = 0.001, rho: float = 0.95, epsilon: float = 1e-7) -> None:
        super().__init__(learning_rate)
        self.rho = rho
        self.epsilon = epsilon

    def update(self, W: Array, dW: Array) -> None:
        """Change W, G and D in place."""
        G, D = self.slots["accumulated_grad"], self.slots["accumulated_delta_var"]
        G *= self.rho
        G += (1 - self.rho) * np.square(dW)
        step = np.sqrt(D + self.epsilon)
        step *= dW
        step /= np.sqrt(G + self.epsilon)
        D *= self.rho
        D += (1 - self.rho) * np.square(step)
        step *= self.learning_rate
        W -= step
