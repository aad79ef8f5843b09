"""The channels of several branches side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wetread.engine.array import Array, Shape
from wetread.engine.layers.layer import Layer


class Concatenate(Layer):
    """Y[..., :] = the channels of A, then those of B, and so on; dA, dB, ... = dY cut where they were joined.

    Inputs (n, h, w, c) or (n, c), alike but for c.

    Source: Huang et al., Densely connected convolutional networks, CVPR 2017.
    """

    def join_shapes(self, shapes: Sequence[Shape]) -> None:
        """Take the inputs' shapes, without the batch, and set the output's."""
        self._ends = np.cumsum([shape[-1] for shape in shapes])[:-1]
        self.output_shape = (*shapes[0][:-1], sum(shape[-1] for shape in shapes))

    def join(self, *inputs: Array) -> Array:
        """Return Y."""
        return np.concatenate(inputs, axis=-1)

    def part(self, dY: Array) -> list[Array]:
        """Return the gradient of each input."""
        return np.split(dY, self._ends, axis=-1)
