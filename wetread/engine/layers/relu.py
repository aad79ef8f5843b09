"""The rectified linear unit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wetread.engine.array import Array, Shape
from wetread.engine.layers.layer import Layer


class ReLU(Layer):
    """Y = max(X, 0); dX = dY where Y > 0 and 0 elsewhere, X = 0 included.

    X and Y of any one shape.

    Source: Nair and Hinton, Rectified linear units improve restricted Boltzmann machines, ICML 2010.
    """

    def build(self, input_shape: Shape, rng: np.random.Generator, dtype: npt.DTypeLike) -> None:
        """Lay out zeros to compare with: NumPy takes the maximum of two arrays four times faster than with 0."""
        super().build(input_shape, rng, dtype)
        self._zeros = np.zeros(input_shape, dtype)

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return Y, in X's shape."""
        self._Y: Array = np.maximum(X, self._zeros)
        return self._Y

    def input_gradient(self, dY: Array) -> Array:
        """Return dX, in X's shape."""
        dX: Array = dY * (self._Y > 0)
        return dX
