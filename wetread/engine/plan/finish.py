"""What a convolution does with its sums while they are in the cache: maximum, bias, ReLU."""

from __future__ import annotations

import numpy as np

from wetread.engine.array import Array
from wetread.engine.layers.relu6 import CEILING
from wetread.engine.plan.feature_map import FeatureMap
from wetread.engine.plan.tape import Tape


class Finish:
    """Bias, ReLU and 2x2 max pooling of a convolution's sums, written into the map it fills.

    max(a + b, c + b) = max(a, c) + b, and ReLU keeps order: the maximum is taken first, so that bias and ReLU
    touch a quarter of the numbers. Bias and zero are laid out as large as what they meet: NumPy takes a sum or a
    maximum of two contiguous arrays of one shape with vector instructions and at once, but begins a pass of
    another kind as slowly as a thousand sums, and takes the maximum with a single number one by one.

    rows: of sums that it takes; step: of these, to a row of the map.
    """

    def __init__(self, target: FeatureMap, bias: Array | None, *, relu: bool, pool: bool, six: bool = False) -> None:
        self.target = target
        self.pool = pool
        self.step = 2 if pool else 1
        self.rows = self.step * target.height
        self._bias = bias
        self._relu, self._six = relu, six
        self._sixes: dict[int, Array] = {}
        self._laid_out: dict[int, tuple[Array, Array]] = {}

    def rows_of(self, tape: Tape, sums: Array, y: int, *, shift: int = 0) -> None:
        """Finish the sums of some rows from y on, (rows, n, columns, channels), which may be overwritten.

        The map's first column is the sums' column `shift`; columns beyond the map's last are passed over.
        """
        width = self.step * self.target.width
        out = self.target.inside[y // self.step : (y + len(sums)) // self.step]
        if self.pool:
            even, odd = sums[0::2], sums[1::2]
            tape.add(np.maximum, even, odd, even)
            columns = even[:, :, shift : shift + width]
            tape.add(np.maximum, columns[:, :, 0::2], columns[:, :, 1::2], out)
            self.plain(tape, out, out)
        else:
            self.plain(tape, sums[:, :, shift : shift + width], out)

    def plain(self, tape: Tape, sums: Array, out: Array) -> None:
        """Add the bias and apply ReLU to sums of `out`'s shape, (rows, n, width, channels), a part of the map."""
        bias, zeros = self._as_large_as(out)
        if self._bias is not None:
            tape.add(np.add, sums, bias, out)
            sums = out
        if self._relu:
            tape.add(np.maximum, sums, zeros, out)
            sums = out
        if self._six:
            tape.add(np.minimum, out, self._sixes.setdefault(len(out), np.full(out.shape, CEILING, np.float32)), out)
        if sums is not out:
            tape.copy(sums, out)

    def _as_large_as(self, out: Array) -> tuple[Array, Array]:
        rows = len(out)
        if rows not in self._laid_out:
            zeros = np.zeros(out.shape, np.float32)
            bias = zeros if self._bias is None else zeros + self._bias.astype(np.float32)
            self._laid_out[rows] = bias, zeros if self._relu else bias
        return self._laid_out[rows]
