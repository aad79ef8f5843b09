"""The drawing surface of a phantom, and smooth curves to draw on it.

The chest is laid out in its own coordinates: u across from the midline, positive towards the picture's
right (the patient's left), v down, both in units of the film's height.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from wetread.imaging.opencv import cv2

Field = npt.NDArray[np.float32]
"""(height, width) values over the canvas."""
Points = npt.NDArray[np.float64]
"""(n, 2) of u, v."""

CANVAS_HEIGHT = 320
"""Pixels in which the anatomy is drawn; larger films are enlarged from it before their grain is added."""
_SUBPIXEL_BITS = 4

_CATMULL_ROM = (
    np.vander(np.linspace(0, 1, 8, endpoint=False), 4, increasing=True)
    @ np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]])
    / 2.0
)
"""(8, 4): weights of four neighbouring points for 8 places between the middle two."""


class Canvas:
    """The drawing surface of one film: where the chest's coordinates lie on it."""

    def __init__(self, aspect: float, chest: float, rng: np.random.Generator) -> None:
        """Place a chest of half width `chest` on a canvas of `aspect` (width over height), a little off and turned."""
        self.shape = (CANVAS_HEIGHT, round(CANVAS_HEIGHT * aspect))
        height, width = self.shape
        zoom = min(rng.uniform(1.02, 1.2), rng.uniform(0.44, 0.5) * aspect / chest)
        angle = np.deg2rad(rng.normal(0, 2.0))
        turn = height * zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        middle = np.array([width * (0.5 + rng.normal(0, 0.015)), height * (0.5 + rng.normal(0, 0.02))])
        self._turn, self._shift = turn, middle - turn @ np.array([0.0, 0.47])
        back = np.linalg.inv(turn)
        x = np.arange(width, dtype=np.float32) - np.float32(self._shift[0])
        y = np.arange(height, dtype=np.float32)[:, None] - np.float32(self._shift[1])
        back = back.astype(np.float32)
        self.u: Field = back[0, 0] * x + back[0, 1] * y
        self.v: Field = back[1, 0] * x + back[1, 1] * y
        self._pixels_per_unit = height * zoom

    def fill(self, outlines: Sequence[Points], blur: float) -> Field:
        """Return 1 within the closed outlines, which do not overlap, and 0 outside, with an edge of `blur` (units)."""
        mask = np.zeros(self.shape, np.uint8)
        cv2.fillPoly(mask, [self._pixels(outline) for outline in outlines], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
        return self._soft(mask, blur)

    def stroke(self, lines: Sequence[Points], width: float, blur: float) -> Field:
        """Return 1 on the lines of `width` (units) and 0 beside them."""
        mask = np.zeros(self.shape, np.uint8)
        pixels = max(1, round(width * self._pixels_per_unit))
        cv2.polylines(mask, [self._pixels(line) for line in lines], False, 255, pixels, cv2.LINE_AA, _SUBPIXEL_BITS)
        return self._soft(mask, blur)

    def clouds(self, rng: np.random.Generator, cells: int) -> Field:
        """Return smooth noise of mean 0 and standard deviation about 1, with `cells` bumps to the film's height."""
        rows = cells + 1
        coarse = rng.standard_normal((rows, max(2, round(rows * self.shape[1] / self.shape[0]))), np.float32)
        return cv2.resize(coarse, self.shape[::-1], interpolation=cv2.INTER_CUBIC).astype(np.float32) * np.float32(1.3)

    def _pixels(self, points: Points) -> npt.NDArray[np.int32]:
        pixels = points @ self._turn.T + self._shift
        fixed_point: npt.NDArray[np.int32] = np.rint(pixels * 2**_SUBPIXEL_BITS).astype(np.int32)
        return fixed_point

    def _soft(self, mask: npt.NDArray[np.uint8], blur: float) -> Field:
        sigma = blur * self._pixels_per_unit
        if sigma > 1.0:  # below that the drawn edge is soft enough
            mask = cv2.GaussianBlur(mask, (0, 0), sigma)  # type: ignore[assignment] # cv2's stubs lose the dtype
        return mask * np.float32(1 / 255)


def smooth(points: Sequence[tuple[float, float]], *, closed: bool = False) -> Points:
    """Return a Catmull-Rom curve through `points`, 8 points to a span."""
    p = np.asarray(points, np.float64)
    p = np.vstack([p[-1:], p, p[:2]] if closed else [2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    spans = np.lib.stride_tricks.sliding_window_view(p, 4, axis=0)
    return np.vstack([(_CATMULL_ROM @ spans.transpose(0, 2, 1)).reshape(-1, 2), p[-2]])


def both(points: Sequence[tuple[float, float]], *, closed: bool = False) -> list[Points]:
    """Return the smooth curve through `points` and its mirror image on the other side."""
    curve = smooth(points, closed=closed)
    return [curve, curve * (-1, 1)]
