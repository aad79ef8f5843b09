"""The views that the shortcut panel's network is shown: films from which more or less is removed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from trainer.data.pixels import Films
from wetread.imaging.opencv import cv2

MIDDLE = 0.6
"""Share of each side that is blacked out; 36% of the film."""
BORDER = 0.1
"""Share of each side that the border takes at either end."""
THUMBNAIL = 16


def whole(films: Films) -> Films:
    """Return films (n, size, size) as they are."""
    return films


def without_middle(films: Films) -> Films:
    """Return the films with their middle black."""
    seen, (rows, columns) = films.copy(), _inside(films, (1 - MIDDLE) / 2)
    seen[:, rows, columns] = 0
    return seen


def border_alone(films: Films) -> Films:
    """Return the films with all but their border black."""
    seen, (rows, columns) = films.copy(), _inside(films, BORDER)
    seen[:, rows, columns] = 0
    return seen


def thumbnail(films: Films) -> Films:
    """Return the films averaged down to 16x16, each pixel drawn large."""
    size = (films.shape[2], films.shape[1])
    small = (cv2.resize(film, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA) for film in films)
    return np.stack([cv2.resize(film, size, interpolation=cv2.INTER_NEAREST) for film in small]).astype(np.uint8)


WHOLE = "the whole film"
VIEWS: Mapping[str, Callable[[Films], Films]] = MappingProxyType(
    {
        WHOLE: whole,
        "the middle 60% blacked out": without_middle,
        "the border alone": border_alone,
        "a 16x16 thumbnail": thumbnail,
    }
)
"""What the small network is shown."""


def _inside(films: Films, margin: float) -> tuple[slice, slice]:
    height, width = films.shape[1:]
    rows, columns = round(height * margin), round(width * margin)
    return slice(rows, height - rows), slice(columns, width - columns)
