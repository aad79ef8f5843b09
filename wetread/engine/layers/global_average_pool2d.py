"""Global average pooling: a feature map becomes one number a channel."""

from __future__ import annotations

import numpy as np

from wetread.engine.array import Array, Shape
from wetread.engine.layers.layer import Layer


class GlobalAveragePool2D(Layer):
    """Y[n, c] = 1/(h·w) Σ_yx X[n, y, x, c]; dX[n, y, x, c] = dY[n, c] / (h·w).

    X (n, h, w, c), Y (n, c).

    Source: Lin, Chen and Yan, Network in network, ICLR 2014.
    """

    def shape_after(self, input_shape: Shape) -> Shape:
        """Return (c,)."""
        return (input_shape[2],)

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return Y (n, c) for X (n, h, w, c)."""
        self._input_shape = X.shape
        Y: Array = X.mean(axis=(1, 2))
        return Y

    def input_gradient(self, dY: Array) -> Array:
        """Return dX (n, h, w, c)."""
        _, height, width, _ = self._input_shape
        share = dY / np.asarray(height * width, dY.dtype)
        return np.broadcast_to(share[:, None, None, :], self._input_shape)
