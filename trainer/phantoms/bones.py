"""Draws the bones of a phantom (spine, ribs, collar bones, shoulder blades), and the windpipe before the spine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trainer.phantoms.anatomy import Anatomy
from trainer.phantoms.canvas import Canvas, Field, Points, both


def spine(canvas: Canvas) -> Field:
    """Return what the vertebrae add and the windpipe's air takes away."""
    heights = np.arange(-0.1, 1.2, 0.062)
    column = canvas.stroke([np.array([[0.0, -0.3], [0.004, 0.5], [0.0, 1.3]])], 0.075, 0.010)
    discs = canvas.stroke([np.array([[-0.034, v], [0.034, v + 0.004]]) for v in heights], 0.009, 0.005)
    spines = canvas.stroke([np.array([[0.0, v + 0.03], [0.001, v + 0.043]]) for v in heights], 0.014, 0.004)
    airways = [np.array([[0.0, -0.2], [0.003, 0.31]]), *both([(0.0, 0.3), (0.03, 0.345), (0.065, 0.38)])]
    added: Field = 0.065 * column - 0.025 * discs + 0.025 * spines - 0.075 * canvas.stroke(airways, 0.030, 0.006)
    return added


def bones(anatomy: Anatomy, canvas: Canvas) -> Field:
    """Return what ribs, collar bones and shoulder blades add."""
    w, top, base = anatomy.chest, anatomy.lung_top, anatomy.lung_base
    behind: list[Points] = []
    front: list[Points] = []
    for k in range(anatomy.rib_pairs):
        v = top - 0.02 + k * (base - top + 0.02) / (anatomy.rib_pairs - 0.5)
        reach = w * float(np.interp(v, [top, top + 0.15, base], [0.62, 0.90, 1.04]))
        drop = anatomy.rib_drop * (0.75 + 0.5 * k / anatomy.rib_pairs)
        behind += both(
            [
                (0.03, v), (0.35 * reach, v - 0.012), (0.72 * reach, v + 0.25 * drop),
                (0.95 * reach, v + 0.62 * drop), (reach, v + drop),
            ]
        )  # fmt: skip
        if k >= 1:
            front += both(
                [
                    (reach, v + drop), (0.93 * reach, v + 1.45 * drop), (0.68 * reach, v + 1.75 * drop),
                    (0.42 * reach, v + 1.7 * drop),
                ]
            )  # fmt: skip
    c = anatomy.clavicle
    collar = both([(0.035, 0.185 + c), (0.13, 0.165 + c), (0.25, 0.135 + c), (w + 0.05, 0.10 + c)])
    blade = [(w + 0.07, 0.16), (w - 0.06, 0.20), (w - 0.015, 0.36), (w + 0.03, 0.47), (w + 0.05, 0.30)]
    ribs = 0.070 * _tube(canvas, behind, 0.027) + 0.035 * _tube(canvas, front, 0.028)
    added: Field = ribs + 0.12 * _tube(canvas, collar, 0.028) + 0.05 * canvas.fill(both(blade, closed=True), 0.004)
    return added


def _tube(canvas: Canvas, lines: Sequence[Points], width: float) -> Field:
    """Return bones of `width`: their shell is denser than their marrow."""
    return 1.35 * canvas.stroke(lines, width, 0.0022) - 0.75 * canvas.stroke(lines, 0.62 * width, 0.003)
