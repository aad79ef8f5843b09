"""Adam."""

from __future__ import annotations

import math

import numpy as np

from wetread.engine.array import Array
from wetread.engine.optimizers.optimizer import Optimizer


class Adam(Optimizer):
    """M ← M + (1 - β₁)(dW - M); V ← V + (1 - β₂)(dW² - V); W ← W - η √(1 - β₂ᵗ) / (1 - β₁ᵗ) · M / (√V + ε̂).

    t counts steps from 1. ε̂ is the one of the paper's text before its section 2.1, outside the root of the
    uncorrected V, not the ε of its algorithm 1. AMSGrad takes the largest V so far for V.

    Sources: Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015; Reddi, Kale and Kumar, On
    the convergence of Adam and beyond, ICLR 2018 (AMSGrad).
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(learning_rate)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad

    def initial_slots(self, W: Array) -> dict[str, Array]:
        """Return M = V = 0, and the largest V where it is used."""
        names = ["momentum", "velocity"] + ["velocity_hat"] * self.amsgrad
        return {name: np.zeros_like(W) for name in names}

    def update(self, W: Array, dW: Array) -> None:
        """Change W, M and V in place."""
        M, V = self.slots["momentum"], self.slots["velocity"]
        t = self.iterations + 1
        rate = self.learning_rate * math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        scratch = dW - M
        scratch *= 1 - self.beta_1
        M += scratch
        np.square(dW, out=scratch)
        scratch -= V
        scratch *= 1 - self.beta_2
        V += scratch
        if self.amsgrad:
            V = np.maximum(self.slots["velocity_hat"], V, out=self.slots["velocity_hat"])
        np.sqrt(V, out=scratch)
        scratch += self.epsilon
        step = M * rate
        step /= scratch
        W -= step
