"""The fully connected layer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wetread.engine.array import Array, Shape
from wetread.engine.initialise import glorot_uniform
from wetread.engine.layers.layer import Layer
from wetread.engine.layers.settings import positive


class Dense(Layer):
    """Y = X W + bias; dW = Xᵀ dY, dbias = Σ_n dY, dX = dY Wᵀ.

    X (n, in), W "kernel" (in, units), bias (units,), Y (n, units). On a feature map (n, h, w, in) the same
    product is taken at every place, as Keras does.

    Source: Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, Nature 1986.
    """

    def __init__(self, units: int, use_bias: bool = True) -> None:
        self.units = positive("units", units)
        self.use_bias = use_bias

    def shape_after(self, input_shape: Shape) -> Shape:
        """Return (units,), after the places where there are some."""
        return (*input_shape[:-1], self.units)

    def initial_parameters(
        self, input_shape: Shape, rng: np.random.Generator, dtype: npt.DTypeLike
    ) -> dict[str, Array]:
        """Return a Glorot-uniform kernel and a zero bias."""
        kernel = glorot_uniform((input_shape[-1], self.units), rng, dtype)
        return {"kernel": kernel} | ({"bias": np.zeros(self.units, dtype)} if self.use_bias else {})

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return Y (n, units) for X (n, in)."""
        self._X = X
        Y: Array = X @ self.parameters["kernel"]
        if self.use_bias:
            Y += self.parameters["bias"]
        return Y

    def parameter_gradients(self, dY: Array) -> None:
        """Set dW = Xᵀ dY and dbias = Σ dY."""
        dY = dY.reshape(-1, self.units)
        np.matmul(self._X.reshape(len(dY), -1).T, dY, out=self.gradients["kernel"])
        if self.use_bias:
            np.sum(dY, axis=0, out=self.gradients["bias"])

    def input_gradient(self, dY: Array) -> Array:
        """Return dX = dY Wᵀ."""
        dX: Array = dY @ self.parameters["kernel"].T
        return dX
