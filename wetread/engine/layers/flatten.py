"""Flatten: a feature map becomes a vector."""

from __future__ import annotations

import math

from wetread.engine.array import Array, Shape
from wetread.engine.layers.layer import Layer


class Flatten(Layer):
    """Y[n, (y·w + x)·c + k] = X[n, y, x, k]: the same numbers, row by row; dX is dY in X's shape.

    X (n, h, w, c), Y (n, h·w·c).
    """

    def shape_after(self, input_shape: Shape) -> Shape:
        """Return (h·w·c,)."""
        return (math.prod(input_shape),)

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return Y (n, h·w·c) for X (n, h, w, c)."""
        self._input_shape = X.shape
        return X.reshape(X.shape[0], *self.output_shape)

    def input_gradient(self, dY: Array) -> Array:
        """Return dX (n, h, w, c)."""
        return dY.reshape(self._input_shape)
