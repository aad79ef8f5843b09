"""Any depthwise convolution, and the 1x1 convolution that may follow it."""

from __future__ import annotations

import numpy as np

from wetread.engine.array import Array
from wetread.engine.plan.feature_map import FeatureMap, rows_in_block
from wetread.engine.plan.finish import Finish
from wetread.engine.plan.tape import Tape


class StridedDepthwise:
    """D[y, x, c·m + q] = Σ_ij source[y·sh + i, x·sw + j, c] · kernel[i, j, c, q]; S = D, or D · pointwise.

    kernel (kh, kw, c, m), pointwise (c·m, filters). For strides above 1, or several filters a channel: for each
    place (i, j) the places that it sees are multiplied by the kernel there, laid out as long as a row, and added
    up, a block of rows at a time that stays in the cache. `RowDepthwise` is faster where it fits.
    """

    def __init__(
        self,
        source: FeatureMap,
        kernel: Array,
        pointwise: Array | None,
        strides: tuple[int, int],
        up: int,
        shift: int,
        finish: Finish,
    ) -> None:
        self.source, self.kernel, self.pointwise, self.strides = source, kernel, pointwise, strides
        self.up, self.shift, self.finish = up, shift, finish

    def record(self, tape: Tape) -> None:
        """Put the whole convolution on the tape."""
        finish, n = self.finish, self.source.n
        step = finish.step
        columns = finish.target.width * step
        channels, multiplier = self.kernel.shape[2:]
        filters = finish.target.channels
        bytes_of_a_row = 4 * step * n * columns * (2 * channels * multiplier + filters)
        block = step * rows_in_block(bytes_of_a_row, finish.rows // step)
        depthwise = np.zeros((block, n, columns, channels, multiplier), np.float32)
        product = np.zeros_like(depthwise)
        sums = np.zeros((block, n, columns, filters), np.float32)
        kernels = self._as_long_as_a_row(columns)
        for y in range(0, finish.rows, block):
            taken = min(block, finish.rows - y)
            D, T = depthwise[:taken], product[:taken]
            for number, (seen, kernel) in enumerate(zip(self._seen(y, taken, columns), kernels, strict=True)):
                tape.add(np.multiply, seen, kernel, T if number else D)
                if number:
                    tape.add(np.add, D, T, D)
            S = D.reshape(taken, n, columns, -1)
            if self.pointwise is not None:
                tape.add(np.matmul, S.reshape(-1, S.shape[3]), self.pointwise, sums[:taken].reshape(-1, filters))
                S = sums[:taken]
            finish.rows_of(tape, S, y)

    def _as_long_as_a_row(self, columns: int) -> list[Array]:
        places = self.kernel.reshape(-1, *self.kernel.shape[2:]).astype(np.float32)
        return [np.tile(place, (columns, 1, 1)) for place in places]

    def _seen(self, y: int, rows: int, columns: int) -> list[Array]:
        """Return what each place of the kernel sees in `rows` rows of outputs from y on, (rows, n, columns, c, 1)."""
        down, right = self.strides
        top, left = self.up + y * down, self.shift
        return [
            self.source.padded[
                top + i : top + i + down * (rows - 1) + 1 : down,
                :,
                left + j : left + j + right * (columns - 1) + 1 : right,
                :,
                None,
            ]
            for i in range(len(self.kernel))
            for j in range(self.kernel.shape[1])
        ]
