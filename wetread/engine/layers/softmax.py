"""Softmax: numbers become probabilities."""

from __future__ import annotations

import numpy as np

from wetread.engine.array import Array
from wetread.engine.layers.layer import Layer


def softmax(Z: Array) -> Array:
    """Return S = exp(Z - max Z) / Σ exp(Z - max Z) along the last axis: no overflow, however large Z is."""
    S: Array = np.exp(Z - Z.max(axis=-1, keepdims=True))
    S /= S.sum(axis=-1, keepdims=True)
    return S


class Softmax(Layer):
    """Y = softmax(X) along the last axis; dX = Y (dY - Σ dY Y).

    X and Y of any one shape. In training, `wetread.engine.loss` takes logits and has softmax in it, where
    the product of this gradient with the cross-entropy's is simply S - Y; this layer is for the inside of a network.

    Source: Bridle, Probabilistic interpretation of feedforward classification network outputs, 1990.
    """

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return Y, in X's shape."""
        self._Y = softmax(X)
        return self._Y

    def input_gradient(self, dY: Array) -> Array:
        """Return dX, in X's shape."""
        dX: Array = self._Y * (dY - (dY * self._Y).sum(axis=-1, keepdims=True))
        return dX
