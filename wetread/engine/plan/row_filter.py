"""Rows of a filter's sums from rows of pixels, with stride 1: directly, or by Winograd's minimal filtering."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wetread.engine.array import Array
from wetread.engine.plan.feature_map import FeatureMap, rows_in_block
from wetread.engine.plan.tape import Tape

TILE = 4
"""Rows of sums that minimal filtering, F(4, 3), makes together from `SEEN` rows of pixels."""
SEEN = TILE + 2

ROWS_MIXED = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    np.float32,
)
KERNEL_MIXED = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]], np.float64) / 24
SUMS_UNMIXED = np.array(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]], np.float32
)

AlongRow = Callable[[Tape, Array, Array, Array], None]
"""Records one kernel row along rows: (tape, pixels (rows·n, columns, c), kernel row, sums (rows·n, columns, f))."""

TakeRows = Callable[[Array, int], None]
"""Takes the sums of some rows (rows, n, columns, f), the first of which is row y: (sums, y)."""


class RowFilter:
    """S[y] = Σ_i source row y + i, along it, with kernel[i], for any way to go along a row.

    source: whose padded rows from `up` on the first window sees. kernel (kh, kw, ...), filters: the sums' channels.

    With three kernel rows g, four rows of sums are made together from six source rows d by Winograd's F(4, 3):

        V = ROWS_MIXED d,    U = KERNEL_MIXED g,    M_k = V_k along it with U_k,    S = SUMS_UNMIXED M

    six times along a row instead of twelve. U is made once. V and S are products of a small matrix and a few
    very long rows, and cost a quarter of what they save. Rows that are left over are summed directly.

    Sources: Winograd, Arithmetic complexity of computations, 1980; Lavin and Gray, Fast algorithms for
    convolutional neural networks, CVPR 2016, whose matrices these are (there in both directions; here down the
    rows alone, so that a product along a row keeps the kernel's width times the channels as inner length).
    """

    def __init__(self, source: FeatureMap, kernel: Array, up: int, filters: int, along: AlongRow) -> None:
        self.source, self.kernel, self.up, self.filters, self.along = source, kernel, up, filters, along
        _, self.n, self.columns, self.channels = source.padded.shape

    def record(self, tape: Tape, rows: int, take: TakeRows, *, step: int = 1) -> None:
        """Put `rows` rows of sums on the tape, and after each few, a multiple of `step`, what `take` records."""
        tiles = rows // TILE if len(self.kernel) == 3 else 0
        if tiles:
            self._record_tiles(tape, tiles, take)
        if tiles * TILE < rows:
            self._record_directly(tape, tiles * TILE, rows, take, step)

    def _record_tiles(self, tape: Tape, tiles: int, take: TakeRows) -> None:
        pixels = self.n * self.columns
        kernels = np.tensordot(KERNEL_MIXED, self.kernel.astype(np.float64), 1).astype(np.float32)
        block = rows_in_block(4 * pixels * (SEEN * self.channels + (SEEN + TILE) * self.filters), tiles)
        mixed = np.zeros((SEEN, block, pixels * self.channels), np.float32)
        products = np.zeros((SEEN, block, pixels * self.filters), np.float32)
        sums = np.zeros((block, TILE, pixels * self.filters), np.float32)
        rows = self.source.padded[self.up :].reshape(-1, pixels * self.channels)
        row, number = rows.strides
        seen = np.lib.stride_tricks.as_strided(
            rows, (tiles, SEEN, rows.shape[1]), (TILE * row, row, number), writeable=False
        )
        for tile in range(0, tiles, block):
            taken = min(block, tiles - tile)
            V, M, S = mixed[:, :taken], products[:, :taken], sums[:taken]
            tape.add(np.matmul, ROWS_MIXED, seen[tile : tile + taken], V.swapaxes(0, 1))
            for v, kernel_row, m in zip(V, kernels, M, strict=True):
                self.along(tape, self._rows(v, self.channels), kernel_row, self._rows(m, self.filters))
            tape.add(np.matmul, SUMS_UNMIXED, M.swapaxes(0, 1), S)
            take(S.reshape(taken * TILE, self.n, self.columns, self.filters), tile * TILE)

    def _record_directly(self, tape: Tape, start: int, stop: int, take: TakeRows, step: int) -> None:
        bytes_of_rows = 2 * 4 * step * self.n * self.columns * self.filters
        block = step * rows_in_block(bytes_of_rows, (stop - start) // step)
        sums = np.zeros((block, self.n, self.columns, self.filters), np.float32)
        more = np.zeros_like(sums)
        for y in range(start, stop, block):
            S, T = (array[: min(block, stop - y)] for array in (sums, more))
            for i, kernel_row in enumerate(self.kernel):
                seen = self.source.padded[self.up + y + i : self.up + y + i + len(S)]
                out = T if i else S
                self.along(tape, self._rows(seen, self.channels), kernel_row, self._rows(out, self.filters))
                if i:
                    tape.add(np.add, S, T, S)
            take(S, y)

    def _rows(self, array: Array, channels: int) -> Array:
        return array.reshape(-1, self.columns, channels)
