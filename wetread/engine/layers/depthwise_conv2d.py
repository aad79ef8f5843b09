"""Depthwise convolution: each channel has its own filters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from wetread.engine.array import Array, Shape
from wetread.engine.initialise import glorot_uniform
from wetread.engine.layers.layer import Layer
from wetread.engine.layers.settings import positive
from wetread.engine.layers.window import SlidingWindow


class DepthwiseConv2D(Layer):
    """Y[n, y, x, c·m + q] = bias[c·m + q] + Σ_ij X[n, y·sh + i, x·sw + j, c] · kernel[i, j, c, q].

    X (n, h, w, c), kernel (kh, kw, c, m) with m = depth_multiplier, bias (c·m,), Y (n, rows, columns, c·m).
    With X_ij the map that kernel place (i, j) sees: Y = bias + Σ_ij X_ij · kernel[i, j],
    dkernel[i, j] = Σ X_ij · dY, dX = Σ_ij dY · kernel[i, j], put where X_ij was seen.

    Source: Chollet, Xception: deep learning with depthwise separable convolutions, CVPR 2017.
    """

    def __init__(
        self,
        kernel_size: Sequence[int],
        strides: Sequence[int] = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        use_bias: bool = True,
    ) -> None:
        self.window = SlidingWindow.of(kernel_size, strides, padding)
        self.depth_multiplier = positive("depth_multiplier", depth_multiplier)
        self.use_bias = use_bias

    def shape_after(self, input_shape: Shape) -> Shape:
        """Return (rows, columns, c·m)."""
        rows, columns = self.window.output_size(input_shape[0], input_shape[1])
        return rows, columns, input_shape[2] * self.depth_multiplier

    def initial_parameters(
        self, input_shape: Shape, rng: np.random.Generator, dtype: npt.DTypeLike
    ) -> dict[str, Array]:
        """Return a Glorot-uniform kernel and a zero bias."""
        channels = input_shape[2]
        kernel = glorot_uniform((*self.window.size, channels, self.depth_multiplier), rng, dtype)
        bias = {"bias": np.zeros(channels * self.depth_multiplier, dtype)} if self.use_bias else {}
        return {"kernel": kernel} | bias

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return Y (n, rows, columns, c·m) for X (n, h, w, c)."""
        self._input_shape = X.shape
        self._padded = self.window.pad(X)
        rows, columns, _ = self.output_shape
        kernel = self.parameters["kernel"]
        Y = np.zeros((X.shape[0], rows, columns, *kernel.shape[2:]), X.dtype)
        product = np.empty_like(Y)
        for i, j, seen in self.window.offsets(rows, columns):
            np.multiply(self._padded[seen][..., None], self._as_a_row(kernel[i, j]), out=product)
            Y += product
        Y = Y.reshape(X.shape[0], *self.output_shape)
        if self.use_bias:
            Y += self._as_a_row(self.parameters["bias"])
        return Y

    def parameter_gradients(self, dY: Array) -> None:
        """Set dkernel[i, j] = Σ X_ij · dY and dbias = Σ dY (as 1ᵀ dY: a sum over short rows is faster as a product)."""
        rows, columns, _ = self.output_shape
        dkernel = self.gradients["kernel"]
        split = dY.reshape(*dY.shape[:3], *dkernel.shape[2:])
        product = np.empty_like(split)
        ones = np.ones(dY.size // dY.shape[3], dY.dtype)
        for i, j, seen in self.window.offsets(rows, columns):
            np.multiply(self._padded[seen][..., None], split, out=product)
            np.matmul(ones, product.reshape(len(ones), -1), out=dkernel[i, j].reshape(-1))
        if self.use_bias:
            np.matmul(ones, dY.reshape(len(ones), -1), out=self.gradients["bias"])

    def input_gradient(self, dY: Array) -> Array:
        """Return dX (n, h, w, c)."""
        rows, columns, _ = self.output_shape
        kernel = self.parameters["kernel"]
        split = dY.reshape(*dY.shape[:3], *kernel.shape[2:])
        product = np.empty_like(split)
        dpadded = np.zeros_like(self._padded)
        for i, j, seen in self.window.offsets(rows, columns):
            np.multiply(split, self._as_a_row(kernel[i, j]), out=product)
            dpadded[seen] += product[..., 0] if self.depth_multiplier == 1 else product.sum(axis=4)
        return self.window.unpad(dpadded, self._input_shape[1], self._input_shape[2])

    def _as_a_row(self, channels: Array) -> Array:
        """Return the numbers of all channels repeated over a row: NumPy spends less on long runs than on short ones."""
        return np.tile(channels, (self.output_shape[1], *(1 for _ in channels.shape)))
