"""The rectified linear unit that stops at 6."""

from __future__ import annotations

import numpy as np

from wetread.engine.array import Array
from wetread.engine.layers.relu import ReLU

CEILING = 6.0


class ReLU6(ReLU):
    """Y = min(max(X, 0), 6); dX = dY where 0 < Y < 6 and 0 elsewhere, both ends included.

    X and Y of any one shape.

    Source: Howard et al., MobileNets: efficient convolutional neural networks for mobile vision applications, 2017.
    """

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return Y, in X's shape."""
        Y = super().forward(X, training=training)
        np.minimum(Y, np.asarray(CEILING, Y.dtype), out=Y)
        return Y

    def input_gradient(self, dY: Array) -> Array:
        """Return dX, in X's shape."""
        dX: Array = dY * ((self._Y > 0) & (self._Y < CEILING))
        return dX
