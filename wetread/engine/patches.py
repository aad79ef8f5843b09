"""The patches of a convolution, seen in place instead of copied."""

from __future__ import annotations

from collections.abc import Iterator

from wetread.engine.array import Array

BLOCK_BYTES = 768 * 1024
"""What to work on at a time: it should stay in a core's second-level cache (1 to 2 MiB)."""


def patches_in_place(pixels: Array, width: int) -> Iterator[tuple[Array, slice]]:
    """Yield the patches of `width` pixels along a run of pixels (length, c), as matrices, with their places.

    The patch of place p is width·c numbers that already lie side by side, from pixel p on. The patches of places
    p, p + width, p + 2 width, ... do not overlap: together they are the run itself, seen as a matrix
    (length/width, width·c). So one view for each p below width shows all patches, where patches gathered in one
    matrix ("im2col") are width times as much memory to write and to read again. With W one row of a kernel,
    (width·c, filters),

        sums[places] = patches W         and         dW = Σ patchesᵀ dsums[places].

    A run may hold many image rows: a patch that crosses from one to the next belongs to no output, and whoever
    uses it passes over its sums. The last width - 1 places have no patch.
    """
    channels = pixels.shape[1]
    for first in range(min(width, len(pixels))):
        count = (len(pixels) - first) // width
        if count:
            seen = slice(first, first + count * width)
            yield pixels[seen].reshape(count, width * channels), slice(first, first + count * width, width)
