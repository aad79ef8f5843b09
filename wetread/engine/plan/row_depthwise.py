"""A depthwise convolution with stride 1, and the 1x1 convolution that may follow it."""

from __future__ import annotations

import numpy as np

from wetread.engine.array import Array
from wetread.engine.plan.feature_map import FeatureMap
from wetread.engine.plan.finish import Finish
from wetread.engine.plan.row_filter import RowFilter
from wetread.engine.plan.tape import Tape


class RowDepthwise:
    """A row filter in which each channel is multiplied by its own numbers; then the 1x1 convolution; then the finish.

    kernel (kh, kw, c, 1), pointwise (c, filters) or None; `up` and `shift` say where in the source's padded map
    the first window begins.
    """

    def __init__(
        self, source: FeatureMap, kernel: Array, pointwise: Array | None, up: int, shift: int, finish: Finish
    ) -> None:
        self.pointwise, self.shift, self.finish = pointwise, shift, finish
        self.filter = RowFilter(source, kernel[..., 0], up, source.channels, _Taps())

    def record(self, tape: Tape) -> None:
        """Put the whole convolution on the tape."""
        mixed: dict[int, Array] = {}  # sums after the 1x1 convolution, by the number of rows

        def take(sums: Array, y: int) -> None:
            if self.pointwise is not None:
                channels, filters = self.pointwise.shape
                out = mixed.setdefault(len(sums), np.zeros((*sums.shape[:3], filters), np.float32))
                tape.add(np.matmul, sums.reshape(-1, channels), self.pointwise, out.reshape(-1, filters))
                sums = out
            self.finish.rows_of(tape, sums, y, shift=self.shift)

        self.filter.record(tape, self.finish.rows, take, step=self.finish.step)


class _Taps:
    """sums[p, c] = Σ_j pixels[p + j, c] · kernel_row[j, c], with kernel_row (kw, c).

    There is no product of matrices here: each place j takes two passes over the row. All passes are over whole
    runs, the kernel's numbers laid out as long as these, because NumPy is fastest at that by far: it takes the
    time of a thousand sums to begin a pass that is not. The sums of columns where no window fits come along.
    """

    def __init__(self) -> None:
        self._laid_out: dict[tuple[bytes, int], Array] = {}
        self._products: dict[int, Array] = {}

    def __call__(self, tape: Tape, pixels: Array, kernel_row: Array, sums: Array) -> None:
        """Put the sums of one kernel row on the tape."""
        width, channels = kernel_row.shape
        run = pixels.reshape(-1)
        length = run.size - (width - 1) * channels
        out = sums.reshape(-1)[:length]
        product = self._products.setdefault(length, np.zeros(length, np.float32))
        for j, numbers in enumerate(kernel_row):
            laid_out = self._along(numbers, length)
            tape.add(np.multiply, run[j * channels : j * channels + length], laid_out, product if j else out)
            if j:
                tape.add(np.add, out, product, out)

    def _along(self, numbers: Array, length: int) -> Array:
        """Return a kernel's numbers (c,) repeated over a run; the rows of a map share them."""
        key = numbers.tobytes(), length
        if key not in self._laid_out:
            self._laid_out[key] = np.tile(numbers.astype(np.float32), length // numbers.size)
        return self._laid_out[key]
