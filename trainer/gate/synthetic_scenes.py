"""Draws scenes like photographs: land and sky, faces, rooms, things on a table, textures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wetread.imaging.equalisation import GreyLevels
from wetread.imaging.opencv import cv2

Picture = NDArray[np.float32]
"""Grey values (height, width), about 0 to 1."""


def fractal(shape: tuple[int, int], slope: float, rng: np.random.Generator) -> Picture:
    """Return noise whose amplitude falls as frequency ** -slope, of mean 0 and deviation 1.

    Photographs have a slope near 1 (Field 1987, "Relations between the statistics of natural images and the
    response properties of cortical cells").
    """
    across, down = np.meshgrid(np.fft.rfftfreq(shape[1]), np.fft.fftfreq(shape[0]))
    frequency = np.hypot(across, down)
    frequency[0, 0] = np.inf
    waves = rng.standard_normal(frequency.shape) + 1j * rng.standard_normal(frequency.shape)
    picture = np.fft.irfft2(waves * frequency**-slope, s=shape)
    return np.asarray((picture - picture.mean()) / picture.std(), np.float32)


def texture(rng: np.random.Generator) -> GreyLevels:
    """Return a surface: fractal noise, sometimes stretched one way, sometimes with a weave."""
    shape = _shape(rng)
    picture = fractal(shape, rng.uniform(0.6, 1.8), rng)
    if rng.random() < 0.4:
        stretch = int(rng.integers(2, 8))
        narrow = fractal((shape[0], max(8, shape[1] // stretch)), 1.0, rng)
        picture = np.asarray(cv2.resize(narrow, shape[::-1]), np.float32)
    if rng.random() < 0.4:
        y, x = np.mgrid[: shape[0], : shape[1]]
        step = rng.uniform(6, 40)
        picture = picture + np.sign(np.sin(2 * np.pi * x / step) * np.sin(2 * np.pi * y / step)).astype(np.float32)
    return levels_of(picture)


def landscape(rng: np.random.Generator) -> GreyLevels:
    """Return sky over hills, with houses, trees and a sun."""
    shape = height, width = _shape(rng)
    picture = np.linspace(rng.uniform(0.7, 1.0), rng.uniform(0.5, 0.9), height, dtype=np.float32)[:, None] * np.ones(
        (1, width), np.float32
    )
    picture += 0.08 * fractal(shape, 1.6, rng)
    if rng.random() < 0.5:
        cv2.circle(picture, _point(rng, width, height // 3), int(rng.integers(8, height // 8)), 1.1, -1, cv2.LINE_AA)
    for horizon in np.sort(rng.uniform(0.35, 0.8, int(rng.integers(1, 4)))):
        hills = horizon * height + 0.12 * height * _smooth_line(width, rng)
        below = np.arange(height)[:, None] > hills[None, :]
        picture = np.where(below, rng.uniform(0.1, 0.6) + 0.12 * fractal(shape, 1.0, rng), picture).astype(np.float32)
    for _ in range(int(rng.integers(0, 6))):
        draw = _house if rng.random() < 0.5 else _tree
        draw(picture, rng)
    return levels_of(picture + 0.03 * fractal(shape, 0.8, rng))


def face(rng: np.random.Generator) -> GreyLevels:
    """Return head and shoulders of a person before a wall, upright in the middle as a chest is."""
    shape = height, width = _shape(rng)
    picture = np.full(shape, rng.uniform(0.1, 0.9), np.float32) + 0.1 * fractal(shape, 1.5, rng)
    skin, hair, cloth = rng.uniform(0.35, 0.9), rng.uniform(0.0, 0.6), rng.uniform(0.0, 1.0)
    x, y = width / 2 + rng.normal(0, 0.05 * width), height * rng.uniform(0.36, 0.46)
    size = height * rng.uniform(0.2, 0.3)

    def ellipse(dx: float, dy: float, across: float, up: float, grey: float) -> None:
        axes = (max(1, round(across * size)), max(1, round(up * size)))
        cv2.ellipse(picture, (round(x + dx * size), round(y + dy * size)), axes, 0, 0, 360, grey, -1, cv2.LINE_AA)

    ellipse(0, 2.3, 1.8, 1.1, cloth)
    ellipse(0, 1.0, 0.4, 0.6, skin * 0.85)
    ellipse(0, -0.25, 0.85, 1.0, hair)
    ellipse(0, 0, 0.72, 0.95, skin)
    for side in (-1, 1):
        ellipse(0.3 * side, -0.15, 0.14, 0.07, 1.0)
        ellipse(0.3 * side, -0.15, 0.06, 0.06, 0.0)
        ellipse(0.3 * side, -0.33, 0.18, 0.03, hair)
    ellipse(0, 0.15, 0.08, 0.2, skin * 0.85)
    ellipse(0, 0.5, 0.25, 0.06, skin * 0.5)
    light = np.linspace(rng.uniform(-0.2, 0.2), rng.uniform(-0.2, 0.2), width, dtype=np.float32)
    return levels_of(cv2.GaussianBlur(picture, (0, 0), height / 200) + light + 0.04 * fractal(shape, 1.0, rng))


def room(rng: np.random.Generator) -> GreyLevels:
    """Return flat surfaces that meet at edges: walls, windows, doors, screens."""
    shape = height, width = _shape(rng)
    picture = np.full(shape, rng.uniform(0.2, 0.9), np.float32)
    for _ in range(int(rng.integers(4, 18))):
        corner = np.array(_point(rng, width, height))
        size = np.array([rng.integers(width // 12, width // 2), rng.integers(height // 12, height // 2)])
        quadrangle = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * size + rng.normal(0, 0.08, (4, 2)) * size + corner
        cv2.fillPoly(picture, [np.rint(quadrangle - size / 2).astype(np.int32)], rng.uniform(0, 1), cv2.LINE_AA)
    light = np.linspace(rng.uniform(-0.25, 0.25), rng.uniform(-0.25, 0.25), height, dtype=np.float32)[:, None]
    return levels_of(picture + light + 0.04 * fractal(shape, 1.2, rng))


def objects(rng: np.random.Generator) -> GreyLevels:
    """Return round and straight things scattered on a ground, with their shading."""
    shape = height, width = _shape(rng)
    picture = np.full(shape, rng.uniform(0, 1), np.float32) + 0.06 * fractal(shape, 1.3, rng)
    for _ in range(int(rng.integers(3, 40))):
        grey, centre = rng.uniform(0, 1), _point(rng, width, height)
        axes = (int(rng.integers(4, width // 6)), int(rng.integers(4, height // 6)))
        if rng.random() < 0.7:
            cv2.ellipse(picture, centre, axes, float(rng.uniform(0, 180)), 0, 360, grey, -1, cv2.LINE_AA)
            shine = (max(1, axes[0] // 3), max(1, axes[1] // 3))
            cv2.ellipse(picture, (centre[0] - shine[0], centre[1] - shine[1]), shine, 0, 0, 360, grey + 0.2, -1)
        else:
            cv2.line(picture, centre, _point(rng, width, height), grey, int(rng.integers(2, 14)), cv2.LINE_AA)
    return levels_of(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, 2.5)) + 0.03 * fractal(shape, 1.0, rng))


def levels_of(picture: NDArray[np.floating]) -> GreyLevels:
    """Return a picture as grey levels; its outermost hundredth at each end is held at black and white."""
    low, high = np.percentile(picture, (1, 99))
    return np.asarray(np.rint(255 * np.clip((picture - low) / max(high - low, 1e-6), 0, 1)), np.uint8)


def _house(picture: Picture, rng: np.random.Generator) -> None:
    height, width = picture.shape
    x, base = int(rng.integers(0, width)), int(rng.uniform(0.6, 0.95) * height)
    side = int(rng.uniform(0.06, 0.2) * height)
    wall = rng.uniform(0.3, 1.0)
    cv2.rectangle(picture, (x, base - side), (x + round(1.3 * side), base), wall, -1)
    roof = np.array([[-0.2, -1.0], [0.65, -1.7], [1.5, -1.0]]) * side + (x, base)
    cv2.fillPoly(picture, [np.rint(roof).astype(np.int32)], rng.uniform(0, 0.5), cv2.LINE_AA)
    for column in range(3):
        left = x + round((0.15 + 0.4 * column) * side)
        cv2.rectangle(picture, (left, base - round(0.7 * side)), (left + side // 5, base - side // 3), 0.1, -1)


def _tree(picture: Picture, rng: np.random.Generator) -> None:
    height, width = picture.shape
    x, base = int(rng.integers(0, width)), int(rng.uniform(0.6, 0.95) * height)
    up = int(rng.uniform(0.1, 0.3) * height)
    cv2.line(picture, (x, base), (x, base - up), 0.15, max(2, up // 10))
    for _ in range(12):
        leaf = (x + int(rng.normal(0, up / 4)), base - up + int(rng.normal(0, up / 4)))
        cv2.circle(picture, leaf, max(2, up // 6), rng.uniform(0.1, 0.4), -1, cv2.LINE_AA)


def _smooth_line(length: int, rng: np.random.Generator) -> NDArray[np.float64]:
    coarse = rng.standard_normal((1, int(rng.integers(3, 12))))
    return np.asarray(cv2.resize(coarse, (length, 1), interpolation=cv2.INTER_CUBIC)[0], np.float64)


def _shape(rng: np.random.Generator) -> tuple[int, int]:
    height = int(rng.integers(96, 224))
    return height, round(height * rng.uniform(0.7, 1.5))


def _point(rng: np.random.Generator, width: int, height: int) -> tuple[int, int]:
    return int(rng.integers(0, width)), int(rng.integers(0, height))
