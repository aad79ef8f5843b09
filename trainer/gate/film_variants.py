"""Changes real films, a little so that they must still be read, or so far that they must not be.

SPOILED are pictures that are no upright film any more; the input gate is to refuse them. HANDLED is what
another scanner, another export or another hand does to a film; the gate is to let them pass. All of them take
and give grey levels, uint8 (height, width), of any size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from wetread.imaging.equalisation import GreyLevels
from wetread.imaging.opencv import cv2

Change = Callable[[GreyLevels], GreyLevels]


def _corner(levels: GreyLevels) -> GreyLevels:
    height, width = levels.shape
    return levels[: height // 2, : width // 2]


def _lower_corner(levels: GreyLevels) -> GreyLevels:
    height, width = levels.shape
    return levels[height // 2 :, width // 2 :]


SPOILED: Mapping[str, Change] = MappingProxyType(
    {
        "inverted": lambda levels: 255 - levels,
        "quarter turn left": lambda levels: np.rot90(levels, 1),
        "quarter turn right": lambda levels: np.rot90(levels, -1),
        "half turn": lambda levels: np.rot90(levels, 2),
        "upside down": lambda levels: levels[::-1],
        "upper corner": _corner,
        "lower corner": _lower_corner,
    }
)
"""Kind -> what makes it of a film."""


def _gamma(gamma: float) -> Change:
    table = np.rint(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return lambda levels: np.asarray(table[levels])


def _cut(levels: GreyLevels) -> GreyLevels:
    down, across = (max(1, round(0.05 * side)) for side in levels.shape)
    return levels[down:-down, across:-across]


def _bordered(levels: GreyLevels) -> GreyLevels:
    margin = max(1, round(0.05 * max(levels.shape)))
    bordered = cv2.copyMakeBorder(levels, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
    return np.asarray(bordered, np.uint8)


def _compressed(levels: GreyLevels) -> GreyLevels:
    _, data = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, 50])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def _turned(degrees: float) -> Change:
    def change(levels: GreyLevels) -> GreyLevels:
        height, width = levels.shape
        turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
        return np.asarray(cv2.warpAffine(levels, turn, (width, height)), np.uint8)

    return change


def _smaller(levels: GreyLevels) -> GreyLevels:
    height, width = levels.shape
    return np.asarray(cv2.resize(levels, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8)


HANDLED: Mapping[str, Change] = MappingProxyType(
    {
        "as it is": lambda levels: levels,
        "gamma 0.7": _gamma(0.7),
        "gamma 1.4": _gamma(1.4),
        "5% cut off each side": _cut,
        "black border of 5%": _bordered,
        "JPEG of quality 50": _compressed,
        "turned by 5 degrees": _turned(5.0),
        "turned by -5 degrees": _turned(-5.0),
        "mirrored": lambda levels: levels[:, ::-1],
        "half the size": _smaller,
    }
)
"""Kind -> what makes it of a film."""
