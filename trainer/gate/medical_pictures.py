"""Draws medical pictures that are not frontal chest films: slices, other body parts, lateral views.

Drawn as `trainer.phantoms.chest` draws: what absorbs is bright, air is dark. All shapes are our own.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from trainer.gate.synthetic_scenes import fractal, levels_of
from wetread.imaging.equalisation import GreyLevels
from wetread.imaging.opencv import cv2

Field = NDArray[np.float32]
_SIDE = 200
"""Pixels of the longer side that everything is drawn in."""


def slice_of_body(rng: np.random.Generator) -> GreyLevels:
    """Return a slice of CT or MRI: a bright ellipse on black, with organs, and lungs in some."""
    field = np.zeros((_SIDE, _SIDE), np.float32)
    across, up = rng.uniform(0.36, 0.47), rng.uniform(0.26, 0.38)
    _ellipse(field, 0.5, 0.5, across, up, 0.35, 0)
    _ellipse(field, 0.5, 0.5, across - 0.03, up - 0.03, 0.5, 0)
    if rng.random() < 0.6:
        for side in (-1, 1):
            size = rng.uniform(0.35, 0.45)
            _ellipse(field, 0.5 + 0.43 * side * across, 0.48, size * across, 1.6 * size * up, 0.08, 0)
        _ellipse(field, 0.53, 0.45, 0.25 * across, 0.4 * up, 0.55, 20)
    for _ in range(int(rng.integers(2, 9))):
        x, y = 0.5 + rng.normal(0, 0.4) * across, 0.5 + rng.normal(0, 0.35) * up
        wide, high = rng.uniform(0.02, 0.13, 2)
        _ellipse(field, x, y, wide, high, rng.uniform(0.2, 0.8), rng.uniform(0, 180))
    _ellipse(field, 0.5, 0.5 + 0.65 * up, 0.05, 0.05, 0.95, 0)
    for angle in np.linspace(0.2, 2 * np.pi, int(rng.integers(8, 16))):
        x, y = 0.5 + 0.86 * across * np.cos(angle), 0.5 + 0.86 * up * np.sin(angle)
        _ellipse(field, x, y, 0.03, 0.01, 0.9, 90 + np.rad2deg(angle))
    return _exposed(field, rng, grain=0.03)


def head(rng: np.random.Generator) -> GreyLevels:
    """Return a head: a slice with its ring of bone, or a film of a skull from the side."""
    field = np.zeros((_SIDE, _SIDE), np.float32)
    across, up = rng.uniform(0.28, 0.38), rng.uniform(0.36, 0.45)
    if rng.random() < 0.5:
        _ellipse(field, 0.5, 0.5, across, up, 0.4, 0)
        _ellipse(field, 0.5, 0.5, across - 0.03, up - 0.03, 1.0, 0)
        _ellipse(field, 0.5, 0.5, across - 0.06, up - 0.06, 0.5, 0)
        field += np.where(field == 0.5, 0.06 * fractal(field.shape, 1.3, rng), 0).astype(np.float32)
        for side in (-1, 1):
            _ellipse(field, 0.5 + 0.06 * side, 0.48, 0.03, 0.1, 0.3, 15 * side)
    else:
        _ellipse(field, 0.5, 0.38, 0.4, 0.32, 0.5, 0)
        _ellipse(field, 0.5, 0.38, 0.37, 0.29, 0.35, 0)
        _ellipse(field, 0.3, 0.72, 0.17, 0.2, 0.55, -20)
        _ellipse(field, 0.2, 0.55, 0.06, 0.05, 0.2, 0)
        _ellipse(field, 0.6, 0.9, 0.14, 0.3, 0.45, 0)
        for row in range(4):
            _ellipse(field, 0.6, 0.72 + 0.08 * row, 0.06, 0.03, 0.8, 10)
    return _exposed(field, rng, grain=0.03)


def hand(rng: np.random.Generator) -> GreyLevels:
    """Return a hand: five fingers of bones in soft tissue, on black."""
    field = np.zeros((_SIDE, round(_SIDE * 0.8)), np.float32)
    _ellipse(field, 0.5, 0.72, 0.25, 0.2, 0.35, 0)
    _bone(field, (0.5, 0.85), (0.5, 1.1), 0.17, 0.35, 0.0)
    for finger, angle in enumerate(np.deg2rad(np.array([-48, -18, -4, 10, 26]) + rng.normal(0, 4, 5))):
        root = np.array([0.28 + 0.11 * finger, 0.68 if finger else 0.78])
        along = np.array([np.sin(angle), -np.cos(angle)])
        reach = (0.3, 0.42, 0.46, 0.42, 0.34)[finger]
        _bone(field, root, root + reach * along, 0.075, 0.3, 0.0)
        joints = np.array([0.0, 0.42, 0.72, 1.0]) * reach * 0.95
        for start, end in pairwise(joints):
            _bone(field, root + (start + 0.012) * along, root + (end - 0.012) * along, 0.03, 0.0, 0.5)
        _bone(field, np.array([0.5, 0.86]) * 0.4 + root * 0.6, root, 0.034, 0.0, 0.5)
    return _exposed(_turned(field, rng), rng)


def knee(rng: np.random.Generator) -> GreyLevels:
    """Return a limb: one joint of two long bones, down the middle, or two limbs side by side."""
    field = np.zeros((_SIDE, round(_SIDE * rng.uniform(0.6, 1.0))), np.float32)
    for x in (0.5,) if rng.random() < 0.6 else (0.27, 0.73):
        size = 1.0 if x == 0.5 else 0.6
        bend = rng.normal(0, 0.05)
        _bone(field, (x + bend, -0.1), (x, 0.5), 0.42 * size, 0.35, 0.0)
        _bone(field, (x, 0.45), (x - bend, 1.1), 0.38 * size, 0.35, 0.0)
        _bone(field, (x + bend, -0.1), (x, 0.46), 0.13 * size, 0.0, 0.45)
        _bone(field, (x, 0.52), (x - bend, 1.1), 0.12 * size, 0.0, 0.45)
        _ellipse(field, x, 0.42, 0.16 * size, 0.07, 0.85, 0)
        _ellipse(field, x, 0.56, 0.16 * size, 0.05, 0.85, 0)
    return _exposed(_turned(field, rng), rng)


def abdomen(rng: np.random.Generator) -> GreyLevels:
    """Return a film of belly and pelvis: spine, wings of the pelvis, gas in the bowel."""
    field = np.full((_SIDE, round(_SIDE * rng.uniform(0.75, 1.0))), 0.45, np.float32)
    field *= np.sin(np.linspace(0.25, np.pi - 0.25, field.shape[1], dtype=np.float32))
    for row in range(7):
        _ellipse(field, 0.5, 0.02 + 0.09 * row, 0.055, 0.035, 0.75, 0)
    if rng.random() < 0.7:
        for side in (-1, 1):
            _ellipse(field, 0.5 + 0.23 * side, 0.68, 0.17, 0.13, 0.75, 35 * side)
            _ellipse(field, 0.5 + 0.2 * side, 0.95, 0.07, 0.07, 0.9, 0)
        _ellipse(field, 0.5, 0.82, 0.13, 0.1, 0.4, 0)
    for _ in range(int(rng.integers(4, 18))):
        x, y, across, up = rng.uniform((0.15, 0.15, 0.02, 0.02), (0.85, 0.7, 0.07, 0.07))
        _ellipse(field, x, y, across, up, rng.uniform(0.1, 0.35), rng.uniform(0, 180))
    return _exposed(field, rng)


def lateral_chest(rng: np.random.Generator) -> GreyLevels:
    """Return a chest from the side: the spine at one edge, one dark field behind and over the heart."""
    field = np.zeros((_SIDE, round(_SIDE * rng.uniform(0.75, 0.95))), np.float32)
    outline = np.array(
        [(0.2, -0.1), (0.75, -0.1), (0.85, 0.2), (0.9, 0.6), (0.88, 1.1), (0.1, 1.1), (0.08, 0.6), (0.14, 0.2)]
    )
    _polygon(field, outline, 0.6)
    lung = np.array(
        [
            (0.45, 0.1), (0.62, 0.14), (0.74, 0.35), (0.78, 0.75), (0.72, 0.9), (0.5, 0.72), (0.2, 0.7), (0.2, 0.4),
            (0.3, 0.2),
        ]
    )  # fmt: skip
    _polygon(field, lung + rng.normal(0, 0.012, lung.shape), 0.25)
    _ellipse(field, 0.37, 0.62, 0.17, 0.14, 0.5, 35)
    for row in range(11):
        _ellipse(field, 0.76 - 0.04 * np.sin(row / 3), 0.02 + 0.095 * row, 0.05, 0.035, 0.72, -12)
    for row in range(7):
        _bone(field, (0.78, 0.15 + 0.1 * row), (0.25, 0.3 + 0.1 * row), 0.02, 0.0, 0.06)
    if rng.random() < 0.5:
        field = np.ascontiguousarray(field[:, ::-1])
    return _exposed(_turned(field, rng), rng)


def _exposed(field: Field, rng: np.random.Generator, grain: float = 0.015) -> GreyLevels:
    soft = cv2.GaussianBlur(field, (0, 0), rng.uniform(1.0, 3.0)) + 0.03 * fractal(field.shape, 1.4, rng)
    soft = soft + rng.normal(0, grain, field.shape)
    return levels_of(np.clip(soft, 0, None) ** rng.uniform(0.7, 1.3))


def _turned(field: Field, rng: np.random.Generator) -> Field:
    height, width = field.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.normal(0, 8)), float(rng.uniform(0.85, 1.2)))
    return np.asarray(cv2.warpAffine(field, turn, (width, height)), np.float32)


def _ellipse(field: Field, x: float, y: float, across: float, up: float, grey: float, angle: float) -> None:
    """Paint an ellipse; x and across in units of the width, y and up of the height."""
    height, width = field.shape
    axes = (max(1, round(across * width)), max(1, round(up * height)))
    cv2.ellipse(field, (round(x * width), round(y * height)), axes, float(angle), 0, 360, float(grey), -1, cv2.LINE_AA)


def _polygon(field: Field, points: NDArray[np.float64], grey: float) -> None:
    height, width = field.shape
    cv2.fillPoly(field, [np.rint(points * (width, height)).astype(np.int32)], grey, cv2.LINE_AA)


def _bone(
    field: Field,
    start: NDArray[np.float64] | tuple[float, float],
    end: NDArray[np.float64] | tuple[float, float],
    width: float,
    grey: float,
    more: float,
) -> None:
    """Draw a rod from `start` to `end`: at least as bright as `grey`, and `more` brighter than what it lies on."""
    rod = np.zeros_like(field)
    scale = np.array(field.shape[::-1])
    first, last = (tuple(np.rint(np.asarray(point) * scale).astype(int).tolist()) for point in (start, end))
    cv2.line(rod, first, last, 1.0, max(1, round(width * field.shape[1])), cv2.LINE_AA)
    field[:] = np.maximum(field + more * rod, grey * rod)
