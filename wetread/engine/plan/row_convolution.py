"""A convolution with stride 1 of several channels."""

from __future__ import annotations

import numpy as np

from wetread.engine.array import Array
from wetread.engine.patches import patches_in_place
from wetread.engine.plan.feature_map import FeatureMap
from wetread.engine.plan.finish import Finish
from wetread.engine.plan.row_filter import RowFilter
from wetread.engine.plan.tape import Tape


class RowConvolution:
    """A row filter whose way along a row is a matrix product with patches in place, then the finish.

    kernel (kh, kw, c, filters); `up` and `shift` say where in the source's padded map the first window begins.
    The sums of columns where no window fits mean nothing and are passed over.
    """

    def __init__(self, source: FeatureMap, kernel: Array, up: int, shift: int, finish: Finish) -> None:
        self.shift, self.finish = shift, finish
        self.filter = RowFilter(source, kernel, up, kernel.shape[3], _product)

    def record(self, tape: Tape) -> None:
        """Put the whole convolution on the tape."""

        def take(sums: Array, y: int) -> None:
            self.finish.rows_of(tape, sums, y, shift=self.shift)

        self.filter.record(tape, self.finish.rows, take, step=self.finish.step)


def _product(tape: Tape, pixels: Array, kernel_row: Array, sums: Array) -> None:
    """Put sums[p] = Σ_jc pixels[p + j, c] · kernel_row[j, c] on the tape; kernel_row (kw, c, filters)."""
    width, channels, filters = kernel_row.shape
    matrix = np.ascontiguousarray(kernel_row.reshape(width * channels, filters), np.float32)
    run = sums.reshape(-1, filters)
    for patches, places in patches_in_place(pixels.reshape(-1, channels), width):
        tape.add(np.matmul, patches, matrix, run[places])
