"""RMSprop."""

from __future__ import annotations

import numpy as np

from wetread.engine.array import Array
from wetread.engine.optimizers.optimizer import Optimizer


class RMSprop(Optimizer):
    """V ← ρ V + (1 - ρ) dW²; W ← W - η dW / √(V + ε). ε is inside the root.

    Centred, the mean gradient's square is taken from V first: G ← ρ G + (1 - ρ) dW, √(V - G² + ε). With momentum
    μ the step is gathered: M ← μ M + η dW / √(…), W ← W - M.

    Sources: Tieleman and Hinton, Neural networks for machine learning, lecture 6.5, 2012; Graves, Generating
    sequences with recurrent neural networks, 2013 (centred).
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
    ) -> None:
        super().__init__(learning_rate)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def initial_slots(self, W: Array) -> dict[str, Array]:
        """Return V = 0, and G and M where they are used."""
        names = ["velocity"] + ["momentum"] * bool(self.momentum) + ["average_gradient"] * self.centered
        return {name: np.zeros_like(W) for name in names}

    def update(self, W: Array, dW: Array) -> None:
        """Change W and the slots in place."""
        V = self.slots["velocity"]
        V *= self.rho
        V += (1 - self.rho) * np.square(dW)
        root = V.copy()
        if self.centered:
            G = self.slots["average_gradient"]
            G *= self.rho
            G += (1 - self.rho) * dW
            root -= np.square(G)
        root += self.epsilon
        step = dW * self.learning_rate
        step /= np.sqrt(root, out=root)
        if self.momentum:
            M = self.slots["momentum"]
            M *= self.momentum
            M += step
            step = M
        W -= step
