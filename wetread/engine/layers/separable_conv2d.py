"""Depthwise separable convolution: a filter a channel, then a 1x1 convolution across channels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from wetread.engine.array import Array, Shape
from wetread.engine.layers.conv2d import Conv2D
from wetread.engine.layers.depthwise_conv2d import DepthwiseConv2D
from wetread.engine.layers.layer import Layer


class SeparableConv2D(Layer):
    """Y = Conv2D_1x1(DepthwiseConv2D(X)): for a 3x3 kernel about 9 times fewer products than Conv2D.

    X (n, h, w, c), depthwise_kernel (kh, kw, c, m), pointwise_kernel (1, 1, c·m, filters), bias (filters,),
    Y (n, rows, columns, filters). The depthwise step has no bias; strides and padding are its own.

    Source: Chollet, Xception: deep learning with depthwise separable convolutions, CVPR 2017.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Sequence[int],
        strides: Sequence[int] = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        use_bias: bool = True,
    ) -> None:
        self.depthwise = DepthwiseConv2D(kernel_size, strides, padding, depth_multiplier, use_bias=False)
        self.pointwise = Conv2D(filters, (1, 1), use_bias=use_bias)

    def build(self, input_shape: Shape, rng: np.random.Generator, dtype: npt.DTypeLike) -> None:
        """Build the two steps, and show their weights under Keras's names."""
        self.depthwise.build(input_shape, rng, dtype)
        self.pointwise.build(self.depthwise.output_shape, rng, dtype)
        self.output_shape = self.pointwise.output_shape
        self.state = {}
        self.parameters = _renamed(self.depthwise.parameters, self.pointwise.parameters)
        self.gradients = _renamed(self.depthwise.gradients, self.pointwise.gradients)

    def bind(self, parameters: dict[str, Array], gradients: dict[str, Array]) -> None:
        """Keep the weights of both steps in these arrays from now on."""
        super().bind(parameters, gradients)
        self.depthwise.bind(_step(parameters, "depthwise_kernel"), _step(gradients, "depthwise_kernel"))
        self.pointwise.bind(_step(parameters, "pointwise_kernel"), _step(gradients, "pointwise_kernel"))

    def forward(self, X: Array, *, training: bool = False) -> Array:
        """Return Y (n, rows, columns, filters) for X (n, h, w, c)."""
        return self.pointwise.forward(self.depthwise.forward(X, training=training), training=training)

    def parameter_gradients(self, dY: Array) -> None:
        """Set the gradients of both steps."""
        self.pointwise.parameter_gradients(dY)
        self._dbetween = self.pointwise.input_gradient(dY)
        self.depthwise.parameter_gradients(self._dbetween)

    def input_gradient(self, dY: Array) -> Array:
        """Return dX (n, h, w, c)."""
        return self.depthwise.input_gradient(self._dbetween)


def _renamed(depthwise: dict[str, Array], pointwise: dict[str, Array]) -> dict[str, Array]:
    """Return the weights of both steps under the names of the whole."""
    kernels = {"depthwise_kernel": depthwise["kernel"], "pointwise_kernel": pointwise["kernel"]}
    return kernels | {name: array for name, array in pointwise.items() if name == "bias"}


def _step(arrays: dict[str, Array], kernel: str) -> dict[str, Array]:
    """Return one step's weights under its own names: the bias belongs to the pointwise step."""
    bias = {"bias": arrays["bias"]} if kernel == "pointwise_kernel" and "bias" in arrays else {}
    return {"kernel": arrays[kernel]} | bias
