"""A convolution with stride 1, and its kernel's gradient, without a matrix of patches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from wetread.engine.array import Array
from wetread.engine.patches import BLOCK_BYTES, patches_in_place


def correlate(padded: Array, kernel: Array) -> Array:
    """Return Y[n, y, x, f] = Σ_ijc padded[n, y + i, x + j, c] · kernel[i, j, c, f].

    padded (n, h, w, c), kernel (kh, kw, c, filters), Y (n, h - kh + 1, w - kw + 1, filters). An image is one run
    of pixels, in which the next row is w pixels on: each kernel row is a product along the run from i·w on
    (see `wetread.engine.patches`), and their sum is Y, with places at the right and below that are no outputs.
    """
    n, height, width, channels = padded.shape
    rows, columns = height - len(kernel) + 1, width - kernel.shape[1] + 1
    filters = kernel.shape[3]
    Y = np.empty((n, rows, columns, filters), padded.dtype)
    matrices = kernel.reshape(len(kernel), -1, filters)
    for images in _blocks(n, height * width * (channels + 2 * filters) * padded.itemsize):
        pixels = padded[images].reshape(-1, channels)
        sums = np.zeros((len(pixels), filters), padded.dtype)
        more = np.zeros_like(sums)
        for i, matrix in enumerate(matrices):
            out = more if i else sums
            for patches, places in patches_in_place(pixels[i * width :], kernel.shape[1]):
                np.matmul(patches, matrix, out=out[places])
            if i:
                sums += more
        Y[images] = sums.reshape(-1, height, width, filters)[:, :rows, :columns]
    return Y


def kernel_gradient(padded: Array, dY: Array, out: Array) -> None:
    """Write dkernel[i, j, c, f] = Σ_nyx padded[n, y + i, x + j, c] · dY[n, y, x, f] to `out` (kh, kw, c, filters).

    Shapes as in `correlate`; dY is laid out on the image's own places, zero where there is no output.
    """
    n, height, width, channels = padded.shape
    filters = dY.shape[3]
    matrices = out.reshape(len(out), -1, filters)
    matrices.fill(0)
    for images in _blocks(n, height * width * (channels + filters) * padded.itemsize):
        pixels = padded[images].reshape(-1, channels)
        spread = np.zeros((len(padded[images]), height, width, filters), dY.dtype)
        spread[:, : dY.shape[1], : dY.shape[2]] = dY[images]
        dsums = spread.reshape(-1, filters)
        for i, matrix in enumerate(matrices):
            for patches, places in patches_in_place(pixels[i * width :], out.shape[1]):
                matrix += patches.T @ dsums[places]


def _blocks(n: int, bytes_of_an_image: int) -> Iterator[slice]:
    """Yield slices of n images that fit the cache, one image at least."""
    size = max(1, BLOCK_BYTES // bytes_of_an_image)
    for start in range(0, n, size):
        yield slice(start, start + size)


def rotated(kernel: Array) -> Array:
    """Return the kernel that carries gradients back: turned by half a circle, channels and filters exchanged.

    (kh, kw, c, filters) -> (kh, kw, filters, c).
    """
    return np.ascontiguousarray(kernel[::-1, ::-1].transpose(0, 1, 3, 2))


def pad_for_gradient(dY: Array, kernel: Array, borders: tuple[tuple[int, int], tuple[int, int]]) -> Array:
    """Return dY with the border that makes `correlate(_, rotated(kernel))` the gradient of the unpadded input.

    borders: what was added to the input, ((above, below), (left, right)): so much less is added here.
    """
    return np.pad(
        dY,
        (
            (0, 0),
            *(
                (size - 1 - before, size - 1 - after)
                for size, (before, after) in zip(kernel.shape, borders, strict=False)
            ),
            (0, 0),
        ),
    )
