"""Sizes: the working size before CLAHE, and the network's size after it."""

from __future__ import annotations

from wetread.imaging.grey import Pixels
from wetread.imaging.opencv import cv2


def reduce(pixels: Pixels, long_side: int | None) -> Pixels:
    """Return `pixels` with the longer side at most `long_side`, each pixel the mean of the area it covers.

    The aspect is kept. A picture that is small enough, and any where `long_side` is None, is returned as it is. Whole
    numbers stay so: give those of few bits in the high bits of their type, and their means lose nothing.
    """
    height, width = pixels.shape
    if long_side is None or max(height, width) <= long_side:
        return pixels
    factor = long_side / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def resize(pixels: Pixels, height: int, width: int) -> Pixels:
    """Return `pixels` as (height, width): means of areas where that is smaller, else linear interpolation.

    The aspect is not kept: as in the paper, the whole film is fitted, with no border added and nothing cut off.
    """
    smaller = height < pixels.shape[0] or width < pixels.shape[1]
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
