"""One depth for every film: 8 bits at the working size, as the films that a network learns from have.

A film of 8 bits whose range is stretched afterwards leaves some of the 256 levels empty. A film of 12 bits leaves none;
CLAHE makes a visible difference of that, and a network learned the one and never saw the other. So whatever is deeper
is rounded to the 8 bits that its copy of 8 bits has.
"""

from __future__ import annotations

import numpy as np

from wetread.imaging.grey import Pixels
from wetread.imaging.opencv import cv2
from wetread.imaging.range import tails
from wetread.imaging.resize import reduce

BITS = 8
LEAST_LEVELS = 64
"""A deeper film that would keep fewer of the 256 levels is not rounded to them: 12 bits beside a letter at 65,535."""


def reduced_to_8_bits(pixels: Pixels, long_side: int | None) -> Pixels:
    """Return the film, (height, width), reduced as `reduce` does, in 8 bits.

    White is the greatest value of as many bits as the film uses. Films of float32, which have no depth, and films that
    use a small part of theirs are reduced and no more; the range normalisation, which follows, takes any depth.
    """
    if pixels.dtype != np.uint16 or not pixels.any():
        return reduce(pixels, long_side)
    spare = 16 - int(pixels.max()).bit_length()
    # In the high bits, so that the means of areas are not rounded to the film's own steps.
    small = reduce(pixels << np.uint16(spare), long_side)
    scale = (2**BITS - 1) / _white(pixels, spare)
    low, high = tails(small)
    if (high - low) * scale < LEAST_LEVELS:
        return small
    levels: Pixels = cv2.convertScaleAbs(small, alpha=scale)
    return levels


def _white(pixels: Pixels, spare: int) -> int:
    """Return the value of white, shifted by `spare` bits.

    A film of 8 bits that was shifted to 12 has four bits that say nothing in every pixel: those are not used.
    """
    together = int(np.bitwise_or.reduce(pixels, axis=None))
    empty = (together & -together).bit_length() - 1
    return int((2 ** (16 - spare - empty) - 1) << (empty + spare))
