"""The grid of cells in which maps are compared, whatever their own size."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wetread.imaging.opencv import cv2

CELLS = 16
"""A side."""

Values = npt.NDArray[np.float64]


def edges(side: int) -> npt.NDArray[np.int64]:
    """Return where the cells of a side of so many pixels begin, and its end."""
    return np.linspace(0, side, CELLS + 1).astype(np.int64)


def sums_of_cells(values: npt.NDArray[np.floating]) -> Values:
    """Return the sum of each cell of values (height, width)."""
    rows, columns = (edges(side)[:-1] for side in values.shape)
    by_row = np.add.reduceat(np.asarray(values, np.float64), rows, axis=0)
    return np.asarray(np.add.reduceat(by_row, columns, axis=1))


def in_cells(values: Values) -> Values:
    """Return a map of any size in cells, by its values at their middles."""
    return np.asarray(cv2.resize(values, (CELLS, CELLS), interpolation=cv2.INTER_LINEAR), np.float64)


def rank_correlation(one: Values, other: Values) -> float:
    """Return Spearman's correlation of two maps of the same shape; 0 where one of them is the same everywhere."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    ranks = [np.argsort(np.argsort(values, axis=None, kind="stable")) for values in (one, other)]
    return float(np.asarray(np.corrcoef(np.stack(ranks)))[0, 1])
