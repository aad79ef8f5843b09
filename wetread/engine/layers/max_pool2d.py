"""Max pooling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wetread.engine.array import Array, Shape
from wetread.engine.layers.layer import Layer
from wetread.engine.layers.window import Slices, SlidingWindow


class MaxPool2D(Layer):
    """Y[n, y, x, c] = max over the window of X[n, y·sh + i, x·sw + j, c]; "same" borders never win.

    X (n, h, w, c), Y (n, rows, columns, c). The gradient goes to the element that won, and where several
    are equal to the first of them in reading order alone: given to each it would be counted more than once.

    Source: Ranzato et al., Unsupervised learning of invariant feature hierarchies, CVPR 2007.
    """

    def __init__(self, pool_size: Sequence[int], strides: Sequence[int], padding: str = "valid") -> None:
        self.window = SlidingWindow.of(pool_size, strides, padding)

    def shape_after(self, input_shape: Shape) -> Shape:
        """Return (rows, columns, c)."""
        return (*self.window.output_size(input_shape[0], input_shape[1]), input_shape[2])

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return Y (n, rows, columns, c) for X (n, h, w, c)."""
        self._input_shape = X.shape
        padded = self.window.pad(X, -np.inf)
        self._padded_shape = padded.shape
        self._seen = [padded[slices].copy() for slices in self._places()]
        self._Y = self._seen[0].copy()
        for seen in self._seen[1:]:
            np.maximum(self._Y, seen, out=self._Y)
        return self._Y

    def input_gradient(self, dY: Array) -> Array:
        """Return dX (n, h, w, c): each dY where its maximum was found first."""
        dpadded = np.zeros(self._padded_shape, dY.dtype)
        waiting = np.ones(dY.shape, bool)
        for seen, slices in zip(self._seen, self._places(), strict=True):
            won = seen == self._Y
            won &= waiting
            waiting ^= won
            if self.window.overlaps:
                dpadded[slices] += dY * won
            else:
                np.multiply(dY, won, out=dpadded[slices])
        return self.window.unpad(dpadded, self._input_shape[1], self._input_shape[2])

    def _places(self) -> list[Slices]:
        """Return what each place of the window sees, as slices of the padded map."""
        rows, columns, _ = self.output_shape
        return [slices for _, _, slices in self.window.offsets(rows, columns)]
