"""One depth for every film: 8 bits at the working size, as the films that a network learns from have.

A film of 8 bits whose range is stretched afterwards leaves some of the 256 levels empty. A film of 12 bits leaves none;
CLAHE makes a visible difference of that, and a network learned the one and never saw the other. So whatever is deeper
is rounded to 8 bits: those that it would have as a film of 8 bits, where that is what it holds, and 256 levels of its
own range else.
"""

from __future__ import annotations

import numpy as np

from wetread.imaging.even_steps import EvenSteps, even_steps
from wetread.imaging.grey import Pixels
from wetread.imaging.opencv import cv2
from wetread.imaging.range import tails
from wetread.imaging.resize import reduce

BITS = 8
_WHITE = 2**BITS - 1
LEAST_LEVELS = 64
"""A deeper film that would keep fewer of the 256 levels is not rounded to them: 12 bits beside a letter at 65,535."""


def own_8_bits(pixels: Pixels, long_side: int | None) -> Pixels:
    """Return the film, (height, width), reduced as `reduce` does, in 8 bits that rest on its own range.

    Copies of one film that differ by what was added to all values, or by the distance between them, give the same.
    Films of float32, and films of which most lies in a small part of their range, are reduced and no more; the range
    normalisation, which follows, takes any depth.
    """
    if pixels.dtype.kind != "u":
        return reduce(pixels, long_side)
    steps = even_steps(pixels)
    if steps.count > _WHITE:
        return _rounded(_in_high_bits(pixels, steps), steps.count << _spare_bits(steps), long_side)
    if pixels.dtype == np.uint8 and LEAST_LEVELS <= steps.count == steps.span:
        return reduce(pixels, long_side)
    # Where there are few steps, the means of areas lie between them.
    steps_apart = 1 if steps.count >= LEAST_LEVELS else _WHITE // steps.count
    scale = steps.count * steps_apart / max(1, steps.span)
    return reduce(cv2.convertScaleAbs(pixels, alpha=scale, beta=-steps.least * scale), long_side)


def _spare_bits(steps: EvenSteps) -> int:
    return 16 - steps.count.bit_length()


def _in_high_bits(pixels: Pixels, steps: EvenSteps) -> Pixels:
    """Return each pixel's step in the high bits of 16, so that the means of areas are not rounded to whole steps."""
    spare, apart = _spare_bits(steps), steps.span // steps.count
    if steps.count * apart == steps.span and 2**spare % apart == 0:
        moved: Pixels = np.subtract(pixels, np.uint16(steps.least))
        return np.multiply(moved, np.uint16(2**spare // apart), out=moved)
    of_value = (np.arange(2**16) - steps.least).clip(0, steps.span) * (steps.count / steps.span)
    return cv2.LUT(pixels, np.rint(of_value).astype(np.uint16) << spare)


def _rounded(pixels: Pixels, white: int, long_side: int | None) -> Pixels:
    """Return the film reduced, and rounded to 8 bits where enough levels are left. white: the value of level 255."""
    small = reduce(pixels, long_side)
    scale = _WHITE / white
    low, high = tails(small)
    if (high - low) * scale < LEAST_LEVELS:
        return small
    levels: Pixels = cv2.convertScaleAbs(small, alpha=scale)
    return levels


def reduced_to_8_bits(pixels: Pixels, long_side: int | None) -> Pixels:
    """Return the film, (height, width), reduced as `reduce` does, in 8 bits, as records without `own_range` mean it.

    White is the greatest value of as many bits as the film uses. Films of float32, which have no depth, and films that
    use a small part of theirs are reduced and no more; the range normalisation, which follows, takes any depth.
    """
    if pixels.dtype != np.uint16 or not pixels.any():
        return reduce(pixels, long_side)
    spare = 16 - int(pixels.max()).bit_length()
    # In the high bits, so that the means of areas are not rounded to the film's own steps.
    return _rounded(pixels << np.uint16(spare), _white(pixels, spare), long_side)


def _white(pixels: Pixels, spare: int) -> int:
    """Return the value of white, shifted by `spare` bits.

    A film of 8 bits that was shifted to 12 has four bits that say nothing in every pixel: those are not used.
    """
    together = int(np.bitwise_or.reduce(pixels, axis=None))
    empty = (together & -together).bit_length() - 1
    return int((2 ** (16 - spare - empty) - 1) << (empty + spare))
