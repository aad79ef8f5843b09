"""Deletion and insertion: how fast a label's probability falls as cells are covered in a map's order, and rises.

A map that says what the model uses has a low deletion curve and a high insertion curve. What a covered cell holds
changes both, so each is measured with two fills: the film's mean, and the film blurred until no structure is left.
Source: Petsiuk, Das and Saenko, RISE, BMVC 2018.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from wetread.explain.cells import CELLS, edges
from wetread.imaging.opencv import cv2
from wetread.models.classifier import Classifier

FloatArray = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]

MEAN, BLURRED = "mean", "blurred"
FILLS = (MEAN, BLURRED)
STEPS = 16
"""In which all cells are covered, as many at each."""


def filled(image: FloatArray, fill: str) -> FloatArray:
    """Return what covers a film, (height, width, 1)."""
    if fill == MEAN:
        return np.full_like(image, image.mean())
    blurred = cv2.GaussianBlur(image[..., 0], (0, 0), max(image.shape) / 4, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float32)[..., None]


def areas(classifier: Classifier, image: FloatArray, label: int, order: npt.NDArray[np.int64], fill: str) -> Values:
    """Return the areas (deletion, insertion) under the curves of the label's probability, each from 0 to 1.

    order: the cells, CELLS * CELLS numbers row by row, what speaks most for the label first.
    """
    cover = filled(image, fill)
    ranks = np.empty(CELLS * CELLS, np.int64)
    ranks[order] = np.arange(CELLS * CELLS)
    step_of_cell = ranks.reshape(CELLS, CELLS) * STEPS // (CELLS * CELLS)
    height, width = (np.diff(edges(side)) for side in image.shape[:2])
    step = np.repeat(np.repeat(step_of_cell, height, axis=0), width, axis=1)[None, ..., None]
    done = step < np.arange(STEPS + 1)[:, None, None, None]
    films = np.concatenate([np.where(done, cover, image), np.where(done, image, cover)]).astype(np.float32)
    logits = classifier.read(films).logits.astype(np.float64)
    odds = np.exp(logits - logits.max(1, keepdims=True))
    curves = (odds / odds.sum(1, keepdims=True))[:, label].reshape(2, STEPS + 1)
    return np.asarray(np.trapezoid(curves, dx=1 / STEPS, axis=1))
