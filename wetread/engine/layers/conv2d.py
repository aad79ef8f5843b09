"""Two-dimensional convolution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from wetread.engine.array import Array, Shape
from wetread.engine.initialise import glorot_uniform
from wetread.engine.layers.correlation import correlate, kernel_gradient, pad_for_gradient, rotated
from wetread.engine.layers.layer import Layer
from wetread.engine.layers.settings import positive
from wetread.engine.layers.window import SlidingWindow


class Conv2D(Layer):
    """Y[n, y, x, f] = bias[f] + Σ_ijc X[n, y·sh + i, x·sw + j, c] · kernel[i, j, c, f].

    X (n, h, w, c), kernel (kh, kw, c, filters), bias (filters,), Y (n, rows, columns, filters). As in all such
    libraries this is a cross-correlation: the kernel is not rotated forward, and so it is backward.

    With the patches P (n·rows·columns, kh·kw·c) and the kernel as a matrix W, everything is a matrix product:
    Y = P W + bias, dW = Pᵀ dY, dbias = Σ dY, dP = dY Wᵀ, and dX gathers dP where the patches were seen. That is
    how it is computed for strides above 1 and for one channel. Else P is never made: `correlation` takes the
    same products on the images in place, and dX is the correlation of dY with the rotated kernel.

    Source: LeCun et al., Gradient-based learning applied to document recognition, Proc. IEEE 1998;
    Chellapilla, Puri and Simard, High performance convolutional neural networks, 2006 (as a product).
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Sequence[int],
        strides: Sequence[int] = (1, 1),
        padding: str = "valid",
        use_bias: bool = True,
    ) -> None:
        self.filters = positive("filters", filters)
        self.window = SlidingWindow.of(kernel_size, strides, padding)
        self.use_bias = use_bias

    def shape_after(self, input_shape: Shape) -> Shape:
        """Return (rows, columns, filters)."""
        return (*self.window.output_size(input_shape[0], input_shape[1]), self.filters)

    def initial_parameters(
        self, input_shape: Shape, rng: np.random.Generator, dtype: npt.DTypeLike
    ) -> dict[str, Array]:
        """Return a Glorot-uniform kernel and a zero bias."""
        kernel = glorot_uniform((*self.window.size, input_shape[2], self.filters), rng, dtype)
        return {"kernel": kernel} | ({"bias": np.zeros(self.filters, dtype)} if self.use_bias else {})

    def build(self, input_shape: Shape, rng: np.random.Generator, dtype: npt.DTypeLike) -> None:
        """Choose how to compute: in place, or with patches gathered in a matrix."""
        super().build(input_shape, rng, dtype)
        self._in_place = self.window.strides == (1, 1) and input_shape[2] > 1

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return Y (n, rows, columns, filters) for X (n, h, w, c)."""
        self._input_shape = X.shape
        padded = self.window.pad(X)
        if self._in_place:
            self._padded = padded
            Y = correlate(padded, self.parameters["kernel"])
        else:
            self._patches = self.window.columns(padded)
            Y = (self._patches @ self._matrix()).reshape(X.shape[0], *self.output_shape)
        if self.use_bias:
            Y += np.tile(self.parameters["bias"], (Y.shape[2], 1))  # as long as a row: short runs cost more
        return Y

    def parameter_gradients(self, dY: Array) -> None:
        """Set dW = Pᵀ dY and dbias = Σ dY (as 1ᵀ dY: a sum over many short rows is faster as a product)."""
        flat = dY.reshape(-1, self.filters)
        if self._in_place:
            kernel_gradient(self._padded, dY, self.gradients["kernel"])
        else:
            np.matmul(self._patches.T, flat, out=self.gradients["kernel"].reshape(-1, self.filters))
        if self.use_bias:
            np.matmul(np.ones(len(flat), dY.dtype), flat, out=self.gradients["bias"])

    def input_gradient(self, dY: Array) -> Array:
        """Return dX (n, h, w, c)."""
        if self._in_place:
            kernel, (height, width) = self.parameters["kernel"], self._input_shape[1:3]
            return correlate(pad_for_gradient(dY, kernel, self.window.borders(height, width)), rotated(kernel))
        dP = dY.reshape(-1, self.filters) @ self._matrix().T
        return self.window.scatter(dP, self._input_shape)

    def _matrix(self) -> Array:
        return self.parameters["kernel"].reshape(-1, self.filters)
