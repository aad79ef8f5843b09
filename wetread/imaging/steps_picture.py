"""A picture of the steps: original, CLAHE and brightness side by side, as in the paper's figure 1."""

from __future__ import annotations

import numpy as np

from wetread.imaging.equalisation import GreyLevels
from wetread.imaging.grey import Pixels
from wetread.imaging.opencv import cv2
from wetread.imaging.preprocess import Preprocess

PANEL_HEIGHT, PANEL_WIDTH = 640, 960
"""Pixels; films are drawn as large as fits, whatever their size, so that captions stay in proportion."""
_MARGIN, _CAPTION_HEIGHT = 16, 80
_PAPER, _INK, _PALE_INK = 255, 24, 110
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_steps(pixels: Pixels, preprocess: Preprocess) -> bytes:
    """Return a PNG of what each step at the working size makes of `pixels`, (height, width), with a caption below it.

    Raises Rejected FLAT where there is nothing to see.
    """
    panels: list[GreyLevels] = []
    picture = pixels
    for step in preprocess.enhancements():
        picture = step.take(picture)
        size = f"{picture.shape[1]} x {picture.shape[0]}, " if not panels else ""
        panels.append(_panel(picture, step.title, size + step.settings))
    gap = np.full((panels[0].shape[0], _MARGIN), _PAPER, np.uint8)
    row = [gap] + [part for panel in panels for part in (panel, gap)]
    page = cv2.copyMakeBorder(np.hstack(row), _MARGIN, 0, 0, 0, cv2.BORDER_CONSTANT, value=_PAPER)
    _, png = cv2.imencode(".png", page)
    return png.tobytes()


def _panel(levels: GreyLevels, title: str, settings: str) -> GreyLevels:
    """Return the film at the panel's size with its title and settings below."""
    height, width = levels.shape
    factor = min(PANEL_HEIGHT / height, PANEL_WIDTH / width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    film = cv2.resize(levels, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    caption = np.full((_CAPTION_HEIGHT, film.shape[1]), _PAPER, np.uint8)
    _write(caption, title, baseline=30, scale=1.0, ink=_INK)
    _write(caption, settings, baseline=60, scale=0.7, ink=_PALE_INK)
    return np.vstack([film, caption])


def _write(caption: GreyLevels, text: str, *, baseline: int, scale: float, ink: int) -> None:
    """Write `text` into `caption` at the left, smaller where it would not fit."""
    (width, _), _ = cv2.getTextSize(text, _FONT, scale, 1)
    scale *= min(1.0, caption.shape[1] / width)
    cv2.putText(caption, text, (0, baseline), _FONT, scale, ink, 1, cv2.LINE_AA)
