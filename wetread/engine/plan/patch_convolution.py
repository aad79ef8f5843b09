"""Any convolution: patches gathered in a matrix, a few rows at a time."""

from __future__ import annotations

import numpy as np

from wetread.engine.array import Array
from wetread.engine.plan.feature_map import FeatureMap, rows_in_block
from wetread.engine.plan.finish import Finish
from wetread.engine.plan.tape import Tape


class PatchConvolution:
    """S = P W with the patches P (places, kh·kw·c) of a block of rows ("im2col"): for strides above 1.

    kernel (kh, kw, c, filters); `up` and `shift` say where in the source's padded map the first window begins.
    """

    def __init__(
        self, source: FeatureMap, kernel: Array, strides: tuple[int, int], up: int, shift: int, finish: Finish
    ) -> None:
        self.source, self.kernel, self.strides, self.finish = source, kernel, strides, finish
        self.up, self.shift = up, shift

    def record(self, tape: Tape) -> None:
        """Put the whole convolution on the tape."""
        height, width, channels, filters = self.kernel.shape
        finish, n = self.finish, self.source.n
        step = finish.step
        columns = finish.target.width * step
        row, image, column, number = self.source.padded.strides
        begin = self.source.padded[self.up :, :, self.shift :]
        windows = np.lib.stride_tricks.as_strided(
            begin,
            (finish.rows, n, columns, height, width * channels),
            (row * self.strides[0], image, column * self.strides[1], row, number),
            writeable=False,
        )
        matrix = np.ascontiguousarray(self.kernel.reshape(-1, filters), np.float32)
        bytes_of_a_row = 4 * step * n * columns * (len(matrix) + filters)
        block = step * rows_in_block(bytes_of_a_row, finish.rows // step)
        patches = np.zeros((block, n, columns, height, width * channels), np.float32)
        sums = np.zeros((block, n, columns, filters), np.float32)
        for y in range(0, finish.rows, block):
            taken = min(block, finish.rows - y)
            tape.copy(windows[y : y + taken], patches[:taken])
            tape.add(np.matmul, patches[:taken].reshape(-1, len(matrix)), matrix, sums[:taken].reshape(-1, filters))
            finish.rows_of(tape, sums[:taken], y)
