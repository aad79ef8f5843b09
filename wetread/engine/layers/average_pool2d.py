"""Average pooling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from wetread.engine.array import Array, Shape
from wetread.engine.layers.layer import Layer
from wetread.engine.layers.window import SlidingWindow


class AveragePool2D(Layer):
    """Y[n, y, x, c] = mean over the window of X[n, y·sh + i, x·sw + j, c]; "same" borders are not counted.

    X (n, h, w, c), Y (n, rows, columns, c). Each element of a window of k real elements gets dY / k.

    Source: LeCun et al., Gradient-based learning applied to document recognition, Proc. IEEE 1998.
    """

    def __init__(self, pool_size: Sequence[int], strides: Sequence[int], padding: str = "valid") -> None:
        self.window = SlidingWindow.of(pool_size, strides, padding)

    def build(self, input_shape: Shape, rng: np.random.Generator, dtype: npt.DTypeLike) -> None:
        """Count the real elements under each window once: fewer at "same" borders."""
        super().build(input_shape, rng, dtype)
        inside = self.window.pad(np.ones((1, *input_shape[:2], 1), dtype))
        self._share = 1 / self._sum(inside)

    def shape_after(self, input_shape: Shape) -> Shape:
        """Return (rows, columns, c)."""
        return (*self.window.output_size(input_shape[0], input_shape[1]), input_shape[2])

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return Y (n, rows, columns, c) for X (n, h, w, c)."""
        self._input_shape = X.shape
        padded = self.window.pad(X)
        self._padded_shape = padded.shape
        Y = self._sum(padded)
        Y *= self._share
        return Y

    def input_gradient(self, dY: Array) -> Array:
        """Return dX (n, h, w, c): dY shared by the elements of its window."""
        rows, columns, _ = self.output_shape
        dpadded = np.zeros(self._padded_shape, dY.dtype)
        share = dY * self._share
        for _, _, slices in self.window.offsets(rows, columns):
            dpadded[slices] += share
        return self.window.unpad(dpadded, self._input_shape[1], self._input_shape[2])

    def _sum(self, padded: Array) -> Array:
        rows, columns, _ = self.output_shape
        seen = [slices for _, _, slices in self.window.offsets(rows, columns)]
        total = padded[seen[0]].copy()
        for slices in seen[1:]:
            total += padded[slices]
        return total
