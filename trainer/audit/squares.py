"""A film as a small square of grey levels, and the features of it that a copy keeps.

A copy is the same exposure stored again: compressed anew, reduced, shifted, cropped, stretched, framed in
black, brightened, mirrored or inverted. Flat margins are cut off first, so that a frame changes nothing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wetread.imaging.equalisation import GreyLevels
from wetread.imaging.opencv import cv2
from wetread.imaging.resize import resize

SIDE = 160
"""Pixels a side: 25 KB a film, and fine enough for ribs and vessels, which tell two chests apart."""

_FLAT = 4.0
"""A row or column whose grey levels have a standard deviation of at most this is margin."""
_NOISE = 4.0
"""Variance, in squared grey levels, below which contrast is not stretched: JPEG leaves about as much."""

Picture = npt.NDArray[np.float32]
"""(side, side)."""


def square_of(levels: GreyLevels) -> GreyLevels:
    """Return a film (height, width) without its flat margins as (SIDE, SIDE), whatever its aspect."""
    return resize(_trimmed(levels), SIDE, SIDE)


def centre(square: GreyLevels, shares: tuple[float, float], side: int) -> Picture:
    """Return the middle of a square, these shares of its (height, width), as (side, side)."""
    height, width = (round(square.shape[0] * share) for share in shares)
    top, left = (square.shape[0] - height) // 2, (square.shape[1] - width) // 2
    return resize(square[top : top + height, left : left + width], side, side).astype(np.float32)


def texture(picture: Picture, sigma: float) -> Picture:
    """Return edges and lines finer than about `sigma` pixels, with the same contrast everywhere.

    Local mean and local contrast go: gamma, brightness and CLAHE leave little trace in what remains.
    """
    fine = picture - cv2.GaussianBlur(picture, (0, 0), sigma)
    variance = cv2.GaussianBlur(fine * fine, (0, 0), 2 * sigma)
    found: Picture = fine / np.sqrt(variance + np.float32(_NOISE))
    return found


def _trimmed(levels: GreyLevels) -> GreyLevels:
    """Return the film without flat margins; the whole film where most of it is flat."""
    rows, columns = (np.flatnonzero(levels.std(axis=axis) > _FLAT) for axis in (1, 0))
    if 2 * len(rows) < levels.shape[0] or 2 * len(columns) < levels.shape[1]:
        return levels
    return levels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
