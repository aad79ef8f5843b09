"""Stochastic gradient descent."""

from __future__ import annotations

import numpy as np

from wetread.engine.array import Array
from wetread.engine.optimizers.optimizer import Optimizer


class SGD(Optimizer):
    """W ← W - η dW; with momentum μ, V ← μ V - η dW and W ← W + V; with Nesterov's, W ← W + μ V - η dW.

    Sources: Robbins and Monro, A stochastic approximation method, 1951; Polyak, Some methods of speeding up the
    convergence of iteration methods, 1964; Sutskever et al., On the importance of initialization and momentum
    in deep learning, ICML 2013 (Nesterov's).
    """

    slot_names = ("momentum",)

    def __init__(self, learning_rate: float = 0.01, momentum: float = 0.0, nesterov: bool = False) -> None:
        super().__init__(learning_rate)
        self.momentum = momentum
        self.nesterov = nesterov

    def initial_slots(self, W: Array) -> dict[str, Array]:
        """Return V = 0, or nothing without momentum."""
        return super().initial_slots(W) if self.momentum else {}

    def update(self, W: Array, dW: Array) -> None:
        """Change W and V in place."""
        step = dW * self.learning_rate
        if not self.momentum:
            W -= step
            return
        V = self.slots["momentum"]
        V *= self.momentum
        V -= step
        if self.nesterov:
            W += np.multiply(V, self.momentum) - step
        else:
            W += V
