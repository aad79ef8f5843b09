"""Draws the chest of a phantom: tissue adds to an attenuation map, air takes away from it.

All shapes and numbers are our own, set by eye beside real films; none is measured from a patient.
"""

from __future__ import annotations

import numpy as np

from trainer.phantoms.anatomy import LEFT, RIGHT, Anatomy
from trainer.phantoms.bones import bones, spine
from trainer.phantoms.canvas import CANVAS_HEIGHT, Canvas, Field, Points, both, smooth
from wetread.imaging.opencv import cv2


def lung_outline(anatomy: Anatomy, side: float) -> Points:
    """Return the outline of one lung; the left one makes room for the heart and ends a little lower."""
    w, top, base = anatomy.chest, anatomy.lung_top, anatomy.lung_base + (0.012 if side == LEFT else 0.0)
    height = base - top
    notch = 0.10 if side == LEFT else 0.045
    lateral = [
        (0.115, 0.0),
        (0.50 * w + 0.02, 0.07),
        (0.80 * w, 0.28),
        (0.95 * w, 0.55),
        (0.99 * w, 0.82),
        (0.985 * w, 1.04),
    ]
    medial = [
        (0.72 * w, 0.93),
        (0.42 * w, 0.88),
        (0.045 + notch, 0.93),
        (0.035 + notch, 0.72),
        (0.055, 0.45),
        (0.05, 0.2),
        (0.07, 0.05),
    ]
    return smooth([(side * u, top + height * v) for u, v in lateral + medial], closed=True)


def draw_chest(anatomy: Anatomy, canvas: Canvas) -> tuple[Field, Field]:
    """Return the attenuation map of a clear chest, and how much lung lies in the beam (0 to 1)."""
    body, arms = _body(anatomy, canvas)
    lungs = _lungs(anatomy, canvas)
    heart = _heart(anatomy, canvas)
    air = lungs * (1 - 0.90 * heart)
    attenuation = 0.80 * body + arms - 0.56 * air + 0.06 * heart * lungs
    attenuation += 0.17 * air * _vessels(anatomy, canvas)
    attenuation += body * (spine(canvas) + _breasts(anatomy, canvas))
    attenuation += np.minimum(1, body + 0.3) * (0.4 + 0.6 * np.minimum(1, 1.6 * air)) * bones(anatomy, canvas)
    return attenuation, air


def _body(anatomy: Anatomy, canvas: Canvas) -> tuple[Field, Field]:
    """Return the torso's thickness in the beam, 0 to about 1, and what the arms beside it absorb."""
    w = anatomy.chest
    half = [
        (0.075, -0.2), (0.08, 0.0), (0.16, 0.055), (w + 0.04, 0.10), (w + 0.13, 0.19), (w + 0.075, 0.36),
        (w + 0.05, 0.6), (w + 0.055, 0.9), (w + 0.06, 1.3),
    ]  # fmt: skip
    torso = canvas.fill([smooth(half + [(-u, v) for u, v in reversed(half)], closed=True)], 0.006)
    thickness = np.sqrt(np.clip(1 - (canvas.u / (w + 0.10)) ** 2, 0.05, 1)) * (0.82 + 0.22 * np.clip(canvas.v, 0, 1))
    arm = [
        (w + 0.02, 0.13), (w + 0.14, 0.16), (w + 0.20, 0.34), (w + 0.29, 0.85), (w + 0.30, 1.2), (w + 0.17, 1.2),
        (w + 0.14, 0.75), (w + 0.06, 0.36),
    ]  # fmt: skip
    arms = canvas.fill(both(arm, closed=True), 0.008)
    humeri = canvas.stroke(both([(w + 0.10, 0.17), (w + 0.15, 0.4), (w + 0.23, 0.9)]), 0.045, 0.006)
    return torso * thickness, (0.30 * arms + 0.13 * humeri) * (1 - 0.8 * torso)


def _lungs(anatomy: Anatomy, canvas: Canvas) -> Field:
    """Return the depth of lung in the beam, 0 to 1: nothing at the edge, most in the middle."""
    outlines = [lung_outline(anatomy, side) for side in (RIGHT, LEFT)]
    inside = (canvas.fill(outlines, 0.0) > 0.5).astype(np.uint8)
    within = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
    depth = np.sqrt(np.minimum(within / (0.10 * CANVAS_HEIGHT), 1))
    air: Field = cv2.GaussianBlur(depth, (0, 0), 2.0) * (0.84 + 0.16 * np.clip(canvas.v, 0, 1))
    return air


def _heart(anatomy: Anatomy, canvas: Canvas) -> Field:
    """Return 1 where the heart and the great vessels push the lungs aside."""
    base, angle = anatomy.lung_base, np.deg2rad(anatomy.heart_tilt)
    t = np.linspace(0, 2 * np.pi, 40)
    along, across = 1.3 * anatomy.heart * np.cos(t), 0.95 * anatomy.heart * np.sin(t)
    heart = np.stack(
        [
            0.048 + along * np.cos(angle) - across * np.sin(angle),
            base - 0.13 + along * np.sin(angle) + across * np.cos(angle),
        ],
        axis=1,
    )
    knob = np.stack([0.040 + 0.036 * np.cos(t), 0.33 + 0.045 * np.sin(t)], axis=1)
    great = smooth(
        [
            (-0.05, 0.0), (-0.055, 0.3), (-0.075, 0.45), (-0.095, base - 0.2), (-0.08, base), (0.1, base),
            (0.12, base - 0.2), (0.075, 0.43), (0.065, 0.33), (0.045, 0.2), (0.045, 0.0),
        ],
        closed=True,
    )  # fmt: skip
    return np.maximum(np.maximum(canvas.fill([heart], 0.008), canvas.fill([knob], 0.006)), canvas.fill([great], 0.01))


def _breasts(anatomy: Anatomy, canvas: Canvas) -> Field:
    """Return the soft shadows over the lower lungs that some patients have."""
    if not anatomy.breast:
        return np.zeros(canvas.shape, np.float32)
    t = np.linspace(0, 2 * np.pi, 40)
    w = anatomy.chest
    right = np.stack([-0.60 * w + 0.42 * w * np.cos(t), anatomy.lung_base - 0.09 + 0.15 * np.sin(t)], axis=1)
    shadows: Field = np.float32(0.10 * anatomy.breast) * canvas.fill([right, right * (-1, 1)], 0.014)
    return shadows


def _vessels(anatomy: Anatomy, canvas: Canvas) -> Field:
    """Return the branching vessels that leave each hilum, thinner and fainter outwards."""
    rng = np.random.default_rng(anatomy.vessels_seed)
    by_order: tuple[list[Points], list[Points], list[Points]] = ([], [], [])

    def grow(start: tuple[float, float], angle: float, length: float, side: float, order: int) -> None:
        bend = rng.normal(0, 0.3)
        middle = _step(start, angle, 0.5 * length, side)
        end = _step(middle, angle + bend, 0.5 * length, side)
        by_order[order].append(smooth([start, middle, end]))
        if order < 2:
            grow(end, angle + bend + rng.uniform(0.1, 0.5), length * rng.uniform(0.65, 0.9), side, order + 1)
            grow(end, angle + bend - rng.uniform(0.1, 0.5), length * rng.uniform(0.65, 0.9), side, order + 1)

    for side in (RIGHT, LEFT):
        for angle in np.linspace(-1.2, 1.25, 7) + rng.normal(0, 0.15, 7):
            hilum = (side * float(rng.uniform(0.055, 0.075)), 0.42 + float(rng.normal(0, 0.018)))
            grow(hilum, float(angle), float(rng.uniform(0.06, 0.10)), side, 0)
    hila = canvas.stroke(both([(0.062, 0.39), (0.078, 0.43), (0.072, 0.48)]), 0.040, 0.012)
    widths = ((0.9, 0.011), (0.65, 0.007), (0.45, 0.004))
    tree = [share * canvas.stroke(lines, width, 0.0035) for lines, (share, width) in zip(by_order, widths, strict=True)]
    vessels: Field = 0.7 * hila + tree[0] + tree[1] + tree[2]
    return vessels


def _step(start: tuple[float, float], angle: float, length: float, side: float) -> tuple[float, float]:
    return start[0] + side * length * float(np.cos(angle)), start[1] + length * float(np.sin(angle))
