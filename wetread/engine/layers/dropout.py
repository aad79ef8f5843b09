"""Dropout."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wetread.engine.array import Array, Shape
from wetread.engine.layers.layer import Layer
from wetread.engine.layers.settings import share


class Dropout(Layer):
    """In training Y = X M / (1 - rate) with M 0 at a share `rate` of the places and 1 elsewhere; in serving Y = X.

    dX = dY M / (1 - rate), with the forward pass's M. X and Y of any one shape. M comes from a generator of
    the layer's own, whose state a checkpoint keeps.

    Source: Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, JMLR 2014.
    """

    generator: np.random.Generator

    def __init__(self, rate: float) -> None:
        self.rate = share("rate", rate)

    def build(self, input_shape: Shape, rng: np.random.Generator, dtype: npt.DTypeLike) -> None:
        """Take a generator of its own, so that no other layer's draws change the masks."""
        super().build(input_shape, rng, dtype)
        (self.generator,) = rng.spawn(1)

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return Y, in X's shape."""
        self._scaled_mask: Array | None = None
        if not training or self.rate == 0:
            return X
        kept = self.generator.random(X.shape, np.float32) >= self.rate
        self._scaled_mask = kept * np.asarray(1 / (1 - self.rate), X.dtype)
        Y: Array = X * self._scaled_mask
        return Y

    def input_gradient(self, dY: Array) -> Array:
        """Return dX, in X's shape."""
        return dY if self._scaled_mask is None else dY * self._scaled_mask
