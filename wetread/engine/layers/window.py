"""A window that slides over a feature map: what convolutions and pools share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from schemas.errors import ArtefactError
from wetread.engine.array import Array
from wetread.engine.layers.settings import pair

Slices = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True)
class SlidingWindow:
    """Size, strides and padding of a sliding window, as Keras means them.

    "valid": only whole windows, output side ⌊(side - size) / stride⌋ + 1.
    "same": output side ⌈side / stride⌉, the missing border split between both ends, the odd row or column last.
    """

    size: tuple[int, int]
    strides: tuple[int, int]
    padding: str

    @classmethod
    def of(cls, size: object, strides: object, padding: object) -> SlidingWindow:
        """Return the window of these settings; raise ArtefactError when they are wrong."""
        if padding not in ("same", "valid"):
            raise ArtefactError(f"expected padding to be 'same' or 'valid', found {padding!r}")
        return cls(pair("the window's size", size), pair("strides", strides), str(padding))

    @property
    def overlaps(self) -> bool:
        """Whether two windows see the same element."""
        return self.strides[0] < self.size[0] or self.strides[1] < self.size[1]

    def borders(self, height: int, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the rows added (above, below) and the columns added (left, right)."""
        if self.padding == "valid":
            return (0, 0), (0, 0)
        missing = [
            max((-(-side // stride) - 1) * stride + size - side, 0)
            for side, size, stride in zip((height, width), self.size, self.strides, strict=True)
        ]
        return (missing[0] // 2, missing[0] - missing[0] // 2), (missing[1] // 2, missing[1] - missing[1] // 2)

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the output's (height, width); raise ArtefactError when no window fits."""
        (above, below), (left, right) = self.borders(height, width)
        rows = (height + above + below - self.size[0]) // self.strides[0] + 1
        columns = (width + left + right - self.size[1]) // self.strides[1] + 1
        if rows < 1 or columns < 1:
            raise ArtefactError(
                f"expected a feature map of at least {self.size}, found {(height, width)}; "
                "use fewer pools, a larger input or 'same' padding"
            )
        return rows, columns

    def pad(self, X: Array, value: float = 0.0) -> Array:
        """Return X (n, h, w, c) with its borders filled with `value`: X itself where there are none."""
        rows, columns = self.borders(X.shape[1], X.shape[2])
        if rows == columns == (0, 0):
            return X
        padded = np.full(
            (X.shape[0], X.shape[1] + sum(rows), X.shape[2] + sum(columns), X.shape[3]), value, dtype=X.dtype
        )
        padded[:, rows[0] : rows[0] + X.shape[1], columns[0] : columns[0] + X.shape[2]] = X
        return padded

    def unpad(self, padded: Array, height: int, width: int) -> Array:
        """Return the (n, height, width, c) inside of what `pad` made."""
        (above, _), (left, _) = self.borders(height, width)
        return padded[:, above : above + height, left : left + width]

    def offsets(self, rows: int, columns: int) -> Iterator[tuple[int, int, Slices]]:
        """Yield, for each place (i, j) in the window, the slices of a padded map that it sees.

        A map sliced so is (n, rows, columns, c): element (y, x) is what output (y, x) sees at (i, j).
        """
        down, right = self.strides
        for i in range(self.size[0]):
            for j in range(self.size[1]):
                yield (
                    i,
                    j,
                    (
                        slice(None),
                        slice(i, i + down * (rows - 1) + 1, down),
                        slice(j, j + right * (columns - 1) + 1, right),
                    ),
                )

    def columns(self, padded: Array) -> Array:
        """Return the patches (n·rows·columns, kh·kw·c) of a padded map ("im2col").

        A row of the result is what one output sees, in the kernel's own order, so that a convolution is one
        matrix product. One kernel row of a patch is contiguous in memory (kw·c numbers) and copied as one. Of a
        single channel these runs would be too short: there the result is laid out turned, a contiguous column
        for each place in the window, copied in runs as long as an output row.
        """
        padded = np.ascontiguousarray(padded)
        n, height, width, channels = padded.shape
        rows = (height - self.size[0]) // self.strides[0] + 1
        columns = (width - self.size[1]) // self.strides[1] + 1
        if channels == 1:
            turned = [padded[slices] for _, _, slices in self.offsets(rows, columns)]
            return np.stack(turned).reshape(len(turned), n * rows * columns).T
        image, row, column, number = padded.strides
        view = np.lib.stride_tricks.as_strided(
            padded,
            (n, rows, columns, self.size[0], self.size[1] * channels),
            (image, row * self.strides[0], column * self.strides[1], row, number),
            writeable=False,
        )
        return view.reshape(n * rows * columns, self.size[0] * self.size[1] * channels)

    def scatter(self, patches: Array, shape: tuple[int, ...]) -> Array:
        """Return the map (n, h, w, c) of `shape` in which each patch was added where it was seen ("col2im").

        This is `columns` after `pad`, transposed: the gradient of a map from the gradients of its patches.
        """
        n, height, width, channels = shape
        borders = self.borders(height, width)
        rows, columns = self.output_size(height, width)
        padded = np.zeros((n, height + sum(borders[0]), width + sum(borders[1]), channels), dtype=patches.dtype)
        patches = patches.reshape(n, rows, columns, *self.size, channels)
        for i, j, seen in self.offsets(rows, columns):
            padded[seen] += patches[:, :, :, i, j]
        return self.unpad(padded, height, width)
