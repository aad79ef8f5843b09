"""Larger maps: each side a whole number of times as long."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from schemas.errors import ArtefactError
from wetread.engine.array import Array, Shape
from wetread.engine.layers.layer import Layer
from wetread.engine.layers.settings import pair

INTERPOLATIONS = ("nearest", "bilinear")


class Upsample2D(Layer):
    """Y[n, :, :, c] = D X[n, :, :, c] Aᵀ with the matrices of `spread` down (D) and along (A); dX = Dᵀ dY A.

    X (n, h, w, c), Y (n, h·sh, w·sw, c). Bilinear takes centres of pixels for their places and repeats the outermost
    ones beyond the border, as Keras's UpSampling2D does.
    """

    def __init__(self, size: Sequence[int], interpolation: str = "nearest") -> None:
        self.size = pair("size", size)
        if interpolation not in INTERPOLATIONS:
            raise ArtefactError(f"expected interpolation to be 'nearest' or 'bilinear', found {interpolation!r}")
        self.interpolation = interpolation

    def build(self, input_shape: Shape, rng: np.random.Generator, dtype: npt.DTypeLike) -> None:
        """Lay out the two matrices."""
        super().build(input_shape, rng, dtype)
        self._down, self._along = (
            spread(side, factor, self.interpolation).astype(dtype)
            for side, factor in zip(input_shape[:2], self.size, strict=True)
        )

    def shape_after(self, input_shape: Shape) -> Shape:
        """Return (h·sh, w·sw, c); raise ArtefactError where there is no map."""
        if len(input_shape) != 3:
            raise ArtefactError(f"expected a map (height, width, channels), found {input_shape}")
        return input_shape[0] * self.size[0], input_shape[1] * self.size[1], input_shape[2]

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return Y (n, h·sh, w·sw, c) for X (n, h, w, c)."""
        return _both_ways(X, self._down, self._along)

    def input_gradient(self, dY: Array) -> Array:
        """Return dX (n, h, w, c)."""
        return _both_ways(dY, self._down.T, self._along.T)


def spread(side: int, factor: int, interpolation: str) -> npt.NDArray[np.float64]:
    """Return the matrix (side·factor, side) by which a row of `side` pixels becomes one of side·factor pixels."""
    places = np.arange(side * factor)
    matrix = np.zeros((side * factor, side))
    if interpolation == "nearest":
        matrix[places, places // factor] = 1.0
        return matrix
    centres = np.clip((places + 0.5) / factor - 0.5, 0, side - 1)
    before = np.floor(centres).astype(np.int64)
    after = np.minimum(before + 1, side - 1)
    np.add.at(matrix, (places, before), 1 - (centres - before))
    np.add.at(matrix, (places, after), centres - before)
    return matrix


def _both_ways(X: Array, down: Array, along: Array) -> Array:
    n, height, width, channels = X.shape
    taller = np.matmul(down, X.reshape(n, height, width * channels))
    Y: Array = np.matmul(along, taller.reshape(n * len(down), width, channels))
    return Y.reshape(n, len(down), len(along), channels)
