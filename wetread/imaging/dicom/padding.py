"""Pixel padding: values that fill the picture up to a rectangle and do not belong to the film.

Source: DICOM PS3.3, C.7.5.1.1.2 (Pixel Padding Value and Pixel Padding Range Limit).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from wetread.imaging.dicom.values import words
from wetread.imaging.grey import Pixels

if TYPE_CHECKING:
    from pydicom import Dataset


_NAMES = ("PixelPaddingValue", "PixelPaddingRangeLimit")


@dataclass(frozen=True, slots=True)
class Padding:
    """The values from `least` to `most`, both of them too, as stored."""

    least: int
    most: int

    def marks(self, positions: Pixels, lowest: int) -> npt.NDArray[np.bool_]:
        """Return which pixels are padding. positions: stored values less `lowest`, the least that can be stored."""
        least, most = self.least - lowest, self.most - lowest
        if most < 0:
            return np.zeros(positions.shape, bool)
        return (positions >= max(0, least)) & (positions <= most)


def padding(record: Dataset, *, signed: bool) -> Padding | None:
    """Return the file's padding; None where it states none."""
    ends = [_number(word, signed) for name in _NAMES for word in words(record, name)[:1]]
    return Padding(min(ends), max(ends)) if ends and words(record, _NAMES[0]) else None


def _number(word: int, signed: bool) -> int:
    return word - 2**16 if signed and word >= 2**15 else word
