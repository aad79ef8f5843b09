"""Where a served layer's output lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wetread.engine.array import Array
from wetread.engine.patches import BLOCK_BYTES


@dataclass(frozen=True, slots=True)
class Border:
    """Rows above and below, columns left and right of a map, all zero: the padding of who reads it."""

    above: int = 0
    below: int = 0
    left: int = 0
    right: int = 0

    def __or__(self, other: Border) -> Border:
        """Return the border that holds both."""
        return Border(
            max(self.above, other.above),
            max(self.below, other.below),
            max(self.left, other.left),
            max(self.right, other.right),
        )


class FeatureMap:
    """The maps of n images in one array `padded` (rows, n, columns, channels), border included.

    The row comes first: a row of all images together is one contiguous run of n·columns·channels numbers, long
    enough that NumPy's cost for each run does not count, and a convolution can take its patches from it in place.
    inside: the maps (height, n, width, channels) themselves, a view.
    """

    def __init__(self, n: int, height: int, width: int, channels: int, border: Border, *, fill: float = 0.0) -> None:
        self.border = border
        self.n, self.height, self.width, self.channels = n, height, width, channels
        shape = (height + border.above + border.below, n, width + border.left + border.right, channels)
        self.padded: Array = np.full(shape, fill, np.float32)
        self.inside: Array = self.padded[border.above : border.above + height, :, border.left : border.left + width]


def rows_in_block(bytes_of_a_row: int, rows: int) -> int:
    """Return how many of `rows` to take at a time, at least one, so that they fit `BLOCK_BYTES`."""
    return max(1, min(rows, BLOCK_BYTES // bytes_of_a_row))
