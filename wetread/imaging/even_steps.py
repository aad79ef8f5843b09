"""Undoes an offset and a step between a film's grey levels, so that copies of other bit depths give one picture.

A film of 12 bits may be kept as it is, with 2,048 taken from each value, in the upper bits of 16, or spread over all
65,536 values of 16 bits; one of 8 bits in any of these. The picture is the same. So a film is looked at as steps above
its own least value, and what lies between two neighbouring steps, where all values keep the same distance, is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wetread.imaging.grey import Pixels
from wetread.imaging.opencv import cv2

_ROWS_LOOKED_AT = 64
"""Two values that are neighbours anywhere say that there are no steps between; in nearly all films these rows do."""
_LEAST_STEP = 3.5
"""Values that were rounded as they were spread are up to 1 from their step: those of narrower steps tell nothing."""
_PARTS = 4
"""Where some values do not occur, the narrowest gap between two that do is of so many steps at most."""


@dataclass(frozen=True, slots=True)
class EvenSteps:
    """A film's values as steps: value = least + (most - least) * step / count, each value within 1 of it.

    least, most: of the film's own values. count: steps from the one to the other.
    """

    least: int
    most: int
    count: int

    @property
    def span(self) -> int:
        """How far the greatest value lies above the least."""
        return self.most - self.least


def even_steps(pixels: Pixels) -> EvenSteps:
    """Return the steps of a film, (height, width) uint8 or uint16; where none is wider than 1, each value is one."""
    sampled = pixels[:: -(-pixels.shape[0] // _ROWS_LOOKED_AT)]
    least, most, _, _ = cv2.minMaxLoc(pixels)
    whole = EvenSteps(int(least), int(most), int(most) - int(least))
    some = _values(sampled)
    if (count := _count(some)) is None:
        return whole
    if some.size > 1 and (apart := _power_of_two(pixels, int(np.gcd.reduce(np.diff(some))))):
        return EvenSteps(whole.least, whole.most, whole.span // apart)
    count = _count(_values(pixels))
    return whole if count is None else EvenSteps(whole.least, whole.most, count)


def _power_of_two(pixels: Pixels, apart: int) -> int:
    """Return `apart`, where it is a power of two above 1 and all values are so far apart, as those of some are; else 0.

    Bits that all values have alike are told sooner than the values that occur.
    """
    low = apart - 1
    if apart < 2 or apart & low:
        return 0
    alike = int(np.bitwise_or.reduce(pixels, axis=None)) ^ int(np.bitwise_and.reduce(pixels, axis=None))
    return 0 if alike & low else apart


def _values(pixels: Pixels) -> npt.NDArray[np.int64]:
    """Return the values that occur, in order."""
    least, most, _, _ = cv2.minMaxLoc(pixels)
    ends = [int(least), int(most) + 1]
    counts = cv2.calcHist([np.ascontiguousarray(pixels)], [0], None, [ends[1] - ends[0]], ends)
    return np.flatnonzero(counts) + ends[0]


def _count(values: npt.NDArray[np.int64]) -> int | None:
    """Return into how many steps the values divide their span; None where they are no even steps wider than 1."""
    gaps = np.diff(values)
    if gaps.size == 0:
        return 1
    exact = int(np.gcd.reduce(gaps))
    span = int(values[-1] - values[0])
    if exact > 1:
        return span // exact
    counts = (_fitting(values, gaps, parts) for parts in range(1, _PARTS + 1))
    return next((count for count in counts if count is not None), None)


def _fitting(values: npt.NDArray[np.int64], gaps: npt.NDArray[np.int64], parts: int) -> int | None:
    """Return the count of steps of which `parts` make the narrowest gap; None where the values do not lie on such."""
    least = int(gaps.min())
    if least < parts * _LEAST_STEP - 1:
        return None
    # The mean over many narrow gaps is nearer to the step than any of them.
    narrow = gaps[gaps <= 1.5 * least]
    step = float(narrow.sum() / np.rint(narrow * (parts / least)).sum())
    count = int(np.rint(gaps / step).sum())
    apart = values - values[0]
    step = float(apart[-1]) / count
    return count if step >= _LEAST_STEP and np.abs(apart - step * np.rint(apart / step)).max() <= 1 else None
