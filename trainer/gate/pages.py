"""Draws pages, digits, diagrams, and empty pictures."""

from __future__ import annotations

import numpy as np

from trainer.statistics.figures import Floats
from wetread.imaging.equalisation import GreyLevels
from wetread.imaging.opencv import cv2

_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
)
_LETTERS = np.array(list("eeeeettttaaaooinnshrdlcumwfgypbvkABCDEFGHIKLMNOPRST0123456789.,:     "))


def page(rng: np.random.Generator) -> GreyLevels:
    """Return a page of text, sometimes with a table, sometimes white on black as a screen is."""
    height, width = _shape(rng, 250, 500)
    paper = np.full((height, width), int(rng.integers(215, 256)), np.uint8)
    font, scale = int(rng.choice(_FONTS)), rng.uniform(0.3, 0.8)
    step, margin = max(10, round(scale * rng.uniform(26, 44))), int(rng.integers(8, 50))
    for baseline in range(margin + step, height - margin, step):
        if rng.random() < 0.12:
            continue
        length = round((width - 2 * margin) / (scale * 19) * rng.uniform(0.3, 1.0))
        words = "".join(rng.choice(_LETTERS, length))
        cv2.putText(paper, words, (margin, baseline), font, scale, int(rng.integers(0, 90)), 1, cv2.LINE_AA)
        if rng.random() < 0.1:
            cv2.line(paper, (margin, baseline + 4), (width - margin, baseline + 4), 60, 1)
    return _maybe_negative(paper, rng)


def digit(rng: np.random.Generator) -> GreyLevels:
    """Return one large digit or letter, white on black or black on white."""
    side = int(rng.integers(64, 400))
    ground = np.zeros((side, side), np.uint8)
    sign, font = str(rng.choice(list("0123456789LRAPX"))), int(rng.choice(_FONTS[:4]))
    scale = side / 40 * rng.uniform(0.7, 1.3)
    weight = max(1, round(side / rng.uniform(8, 30)))
    (across, up), _ = cv2.getTextSize(sign, font, scale, weight)
    corner = (round((side - across) / 2 + rng.normal(0, 0.04 * side)), round((side + up) / 2))
    cv2.putText(ground, sign, corner, font, scale, 255, weight, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), float(rng.normal(0, 10)), 1.0)
    drawn = cv2.GaussianBlur(cv2.warpAffine(ground, turn, (side, side)), (0, 0), side / rng.uniform(40, 300))
    return _maybe_negative(np.asarray(drawn, np.uint8), rng)


def diagram(rng: np.random.Generator) -> GreyLevels:
    """Return a plot with axes and curves, or boxes with arrows."""
    height, width = _shape(rng, 250, 600)
    paper = np.full((height, width), 255, np.uint8)
    left, base = width // 8, height - height // 8
    if rng.random() < 0.6:
        cv2.rectangle(paper, (left, height // 10), (width - width // 12, base), 0, 1)
        along = np.linspace(0, 1, 40)
        for _ in range(int(rng.integers(1, 5))):
            up = np.cumsum(rng.normal(0, 0.06, 40)) + rng.uniform(0.2, 0.8)
            line = np.stack([left + along * (width * 0.79), base - np.clip(up, 0, 1) * (base - height / 10)], axis=1)
            cv2.polylines(paper, [np.rint(line).astype(np.int32)], False, int(rng.integers(0, 160)), 2, cv2.LINE_AA)
        for tick in range(6):
            cv2.putText(paper, str(tick), (left + tick * width // 8, base + 15), _FONTS[0], 0.35, 40, 1, cv2.LINE_AA)
    else:
        for _ in range(int(rng.integers(3, 10))):
            x, y = int(rng.integers(0, width - 60)), int(rng.integers(0, height - 40))
            end = (x + int(rng.integers(40, width // 3)), y + int(rng.integers(20, height // 4)))
            cv2.rectangle(paper, (x, y), end, int(rng.integers(0, 200)), int(rng.choice([-1, 2])))
            there = (int(rng.integers(0, width)), int(rng.integers(0, height)))
            cv2.arrowedLine(paper, (x, y), there, 0, 2, cv2.LINE_AA)
    return _maybe_negative(paper, rng)


def blank(rng: np.random.Generator) -> GreyLevels:
    """Return an exposure of nothing: one level with a little grain, and sometimes a letter."""
    shape = _shape(rng, 96, 256)
    level, grain = rng.uniform(5, 250), rng.uniform(0.5, 4)
    film = rng.normal(level, grain, shape)
    if rng.random() < 0.5:
        film += _ramp(shape, rng) * rng.uniform(2, 10)
    levels = np.clip(np.rint(film), 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        cv2.putText(levels, str(rng.choice(["L", "R"])), (10, 40), _FONTS[0], 1.2, int(255 - level), 2, cv2.LINE_AA)
    return levels


def gradient(rng: np.random.Generator) -> GreyLevels:
    """Return a smooth change of grey: a ramp, a spot, or a test pattern of both."""
    shape = _shape(rng, 96, 256)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
    middle = rng.uniform(0.2, 0.8, 2) * shape
    spot = np.exp(-((x - middle[1]) ** 2 + (y - middle[0]) ** 2) / (2 * (rng.uniform(0.1, 0.5) * shape[0]) ** 2))
    share = rng.choice([0.0, 0.5, 1.0])
    picture = share * _ramp(shape, rng) + (1 - share) * spot * rng.choice([-1.0, 1.0])
    if rng.random() < 0.3:
        picture = np.round(picture * 6) / 6
    return _stretched(picture + rng.normal(0, 0.01, shape))


def noise(rng: np.random.Generator) -> GreyLevels:
    """Return grain without a picture, as fine as a pixel or in clouds."""
    shape = _shape(rng, 96, 256)
    grain = rng.standard_normal(shape)
    if rng.random() < 0.6:
        sigma = float(np.exp(rng.uniform(0, np.log(shape[0] / 6))))
        grain = np.asarray(cv2.GaussianBlur(grain, (0, 0), sigma), np.float64)
    if rng.random() < 0.2:
        grain = np.sign(grain)
    return _stretched(grain)


def _ramp(shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    y, x = np.mgrid[: shape[0], : shape[1]]
    angle = rng.uniform(0, 2 * np.pi)
    return np.asarray(np.cos(angle) * x / shape[1] + np.sin(angle) * y / shape[0], np.float64)


def _shape(rng: np.random.Generator, least: int, most: int) -> tuple[int, int]:
    height = int(rng.integers(least, most))
    return height, round(height * rng.uniform(0.75, 1.33))


def _stretched(picture: Floats) -> GreyLevels:
    low, high = picture.min(), picture.max()
    return np.asarray(np.rint(255 * (picture - low) / (high - low)), np.uint8)


def _maybe_negative(picture: GreyLevels, rng: np.random.Generator) -> GreyLevels:
    return 255 - picture if rng.random() < 0.4 else picture
