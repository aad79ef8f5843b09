"""Normalises the range of any bit depth to 8 bits: a film looks the same in 8 and 16 bits."""

from __future__ import annotations

import numpy as np

from schemas.errors import Rejected
from schemas.reasons import Reason
from wetread.imaging.equalisation import GreyLevels
from wetread.imaging.grey import Pixels
from wetread.imaging.opencv import cv2

TAIL = 0.005
"""Share of the pixels, at each end, that may fall outside the range: burnt-in letters and dead pixels.

A 12-bit film stored in 16 bits beside a letter at 65,535 would come out nearly black from its least and
greatest values. nnU-Net cuts the same shares (Isensee et al., Nature Methods 18, 2021).
"""


def normalise(pixels: Pixels) -> GreyLevels:
    """Map `pixels` (height, width; uint8, uint16 or float32) to 0..255 by one straight line.

    0 is the value that a share TAIL of the pixels does not exceed, 255 the value that a share TAIL
    reaches; values outside are held at the ends. Where the two are equal, the least and the greatest value
    take their place. Raises Rejected FLAT when these are equal too.
    """
    low, high = tails(pixels)
    if low == high:
        low, high = float(pixels.min()), float(pixels.max())
    if low == high:
        raise Rejected(Reason.FLAT, "every pixel has the same value")
    if pixels.dtype == np.uint8 and (low, high) == (0, 255):
        return pixels
    if pixels.dtype.kind == "f":  # any unit and any offset: brought near 1 in float64 first
        share = (pixels.astype(np.float64) - low) / (high - low)
        pixels = np.clip(share, 0.0, 1.0).astype(np.float32)  # a share far beyond is none of float32's
        low, high = 0.0, 1.0
    slope = 255.0 / (high - low)
    # convertScaleAbs saturates at 255 and rounds; the maximum keeps its |x| from folding values below `low`.
    above = np.maximum(pixels, np.asarray(low, pixels.dtype))
    levels: GreyLevels = cv2.convertScaleAbs(above, alpha=slope, beta=-low * slope)
    return levels


def tails(pixels: Pixels) -> tuple[float, float]:
    """Return the values that a share TAIL of the pixels does not exceed, and that a share TAIL reaches."""
    rank = int(TAIL * (pixels.size - 1))
    ranks = (rank, pixels.size - 1 - rank)
    if pixels.dtype.kind == "u":
        levels = 2 ** (8 * pixels.dtype.itemsize)
        if levels == 256:
            counts = cv2.calcHist([pixels], [0], None, [levels], [0, levels]).ravel()
        else:
            counts = np.bincount(pixels.ravel(), minlength=levels)
        reached = np.cumsum(counts, dtype=np.int64)
        low, high = (float(np.searchsorted(reached, rank, side="right")) for rank in ranks)
    else:
        low, high = (float(value) for value in np.partition(pixels, ranks, axis=None)[list(ranks)])
    return low, high
