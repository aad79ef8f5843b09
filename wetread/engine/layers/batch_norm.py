"""Batch normalisation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wetread.engine.array import Array, Shape
from wetread.engine.layers.layer import Layer
from wetread.engine.layers.settings import share


class BatchNorm(Layer):
    """Y = γ X̂ + β with X̂ = (X - μ) / √(σ² + ε), a channel at a time.

    In training μ and σ² are the batch's mean and (biased) variance over all axes but the last, and the moving
    statistics follow them: moving ← momentum · moving + (1 - momentum) · batch. In serving μ and σ² are the
    moving statistics. With m elements a channel, the gradients are

        dβ = Σ dY,   dγ = Σ dY X̂,   dX = γ / √(σ² + ε) · (dY - dβ/m - X̂ dγ/m)   (training; the statistics move too)
                                    dX = γ / √(σ² + ε) · dY                      (serving; they are constants)

    X and Y (..., c); gamma, beta, moving_mean, moving_variance (c,).

    Source: Ioffe and Szegedy, Batch normalization, ICML 2015.
    """

    def __init__(self, epsilon: float = 1e-3, momentum: float = 0.99) -> None:
        self.epsilon = share("epsilon", epsilon)
        self.momentum = share("momentum", momentum)

    def initial_parameters(
        self,
        input_shape: Shape,
        rng: np.random.Generator,
        dtype: npt.DTypeLike,
    ) -> dict[str, Array]:
        """Return γ of ones and β of zeros."""
        return {"gamma": np.ones(input_shape[-1], dtype), "beta": np.zeros(input_shape[-1], dtype)}

    def initial_state(self, input_shape: Shape, dtype: npt.DTypeLike) -> dict[str, Array]:
        """Return a moving mean of zeros and a moving variance of ones."""
        return {"moving_mean": np.zeros(input_shape[-1], dtype), "moving_variance": np.ones(input_shape[-1], dtype)}

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return Y, in X's shape; in training, move the moving statistics."""
        self._training = training
        rows = self._rows(X)
        if training:
            mean = _mean(X)
            centred = rows - self._as_a_row(mean, X)
            variance = _mean(np.square(centred).reshape(X.shape))
            self._move("moving_mean", mean)
            self._move("moving_variance", variance)
        else:
            mean, variance = self.state["moving_mean"], self.state["moving_variance"]
            centred = rows - self._as_a_row(mean, X)
        self._inverse_deviation = 1 / np.sqrt(variance + np.asarray(self.epsilon, X.dtype))
        centred *= self._as_a_row(self._inverse_deviation, X)
        self._normalised = centred
        Y = centred * self._as_a_row(self.parameters["gamma"], X)
        Y += self._as_a_row(self.parameters["beta"], X)
        return Y.reshape(X.shape)

    def parameter_gradients(self, dY: Array) -> None:
        """Set dγ = Σ dY X̂ and dβ = Σ dY."""
        m = dY.size // dY.shape[-1]
        self.gradients["gamma"][...] = _mean((self._rows(dY) * self._normalised).reshape(dY.shape)) * m
        self.gradients["beta"][...] = _mean(dY) * m

    def input_gradient(self, dY: Array) -> Array:
        """Return dX, in X's shape."""
        scale = self.parameters["gamma"] * self._inverse_deviation
        dX = self._rows(dY) * self._as_a_row(scale, dY)
        if self._training:
            m = np.asarray(dY.size // dY.shape[-1], dY.dtype)
            dX -= self._normalised * self._as_a_row(scale * self.gradients["gamma"] / m, dY)
            dX -= self._as_a_row(scale * self.gradients["beta"] / m, dY)
        return dX.reshape(dY.shape)

    @staticmethod
    def _rows(X: Array) -> Array:
        """Return X (..., c) as (rows, width·c): NumPy spends less on a few long runs than on many short ones."""
        return X.reshape(-1, X.shape[-1] * (X.shape[-2] if X.ndim > 2 else 1))

    @staticmethod
    def _as_a_row(channels: Array, X: Array) -> Array:
        """Return one number a channel repeated over a row of X."""
        return np.tile(channels, X.shape[-2] if X.ndim > 2 else 1)

    def _move(self, name: str, batch: Array) -> None:
        moving = self.state[name]
        moving *= self.momentum
        moving += (1 - self.momentum) * batch


def _mean(X: Array) -> Array:
    """Return the mean over all axes but the last, as a product: a sum over many short rows is slower."""
    flat = X.reshape(-1, X.shape[-1])
    mean: Array = np.full(len(flat), 1 / len(flat), X.dtype) @ flat
    return mean
