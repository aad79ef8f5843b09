"""The sum of two branches."""

from __future__ import annotations

from wetread.engine.array import Array
from wetread.engine.layers.layer import Layer


class Add(Layer):
    """Y = A + B; dA = dB = dY. A, B and Y of one shape.

    Source: He et al., Deep residual learning for image recognition, CVPR 2016.
    """

    def join(self, A: Array, B: Array) -> Array:
        """Return Y."""
        Y: Array = A + B
        return Y

    def part(self, dY: Array) -> list[Array]:
        """Return dA and dB."""
        return [dY, dY]
