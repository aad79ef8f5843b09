"""Controls for a model that reads lungs alone: how well outline, grey levels, view or patient number tell the label.

Blacking out the middle of a film leaves parts of the lungs to be seen, and a film whose surround is flat has nothing
there. So these take nothing away but know little: a logistic regression for each, on the same patients. How the outline
is read: from the network's own input, so that whatever an edge of the mask tells the network it tells the control too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from trainer.data.film import Film
from trainer.data.pixels import Films
from trainer.evaluation.reading import Readings
from trainer.shortcuts.panel import Panel
from trainer.statistics.softmax_logistic import fit_softmax
from trainer.training.lesson import LabelledFilms
from wetread.imaging.lung_field import MEAN
from wetread.imaging.opencv import cv2

ARCH = "logistic"
SIZE = 24
"""Side of the outline, pixels."""
RIDGE = 0.03
_PERCENTILES = (1, 5, 10, 25, 50, 75, 90, 95, 99)
_BINS = 9

Known = npt.NDArray[np.float64]
"""What is known of each film, (n, f)."""


def outlines(films: Films, _known: Sequence[Film]) -> Known:
    """Return where each film is not flat, its gaps closed, as a small picture."""
    closing = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    marks = (cv2.morphologyEx((film != MEAN).astype(np.uint8) * 255, cv2.MORPH_CLOSE, closing) for film in films)
    small = [cv2.resize(mark, (SIZE, SIZE), interpolation=cv2.INTER_AREA).reshape(-1) for mark in marks]
    return np.asarray(small, np.float64) / 255


def grey_statistics(films: Films, _known: Sequence[Film]) -> Known:
    """Return mean, deviation, percentiles and histogram of what is not flat: 20 numbers."""
    rows = []
    for film in films:
        levels = film[film != MEAN] if (film != MEAN).any() else film.reshape(-1)
        histogram = np.histogram(levels, _BINS, (0, 256))[0] / levels.size
        rows.append([levels.mean(), levels.std(), *np.percentile(levels, _PERCENTILES), *histogram])
    return np.asarray(rows, np.float64)


def views(_films: Films, known: Sequence[Film]) -> Known:
    """Return the view, one number for each that there is."""
    names = ("AP", "PA")
    return np.array([[film.attributes.get("view") == name for name in names] for film in known], np.float64)


def patient_numbers(_films: Films, known: Sequence[Film]) -> Known:
    """Return the digits of the patient's id as a number, and its square: a collection is often filled in order."""
    numbers = [float("".join(filter(str.isdigit, film.patient_id))[-12:] or 0) for film in known]
    logs = np.log1p(numbers)
    return np.stack([logs, logs**2, np.asarray(numbers) / (1 + max(numbers, default=0.0))], axis=1)


CONTROLS: Mapping[str, Callable[[Films, Sequence[Film]], Known]] = MappingProxyType(
    {
        "the lung field's outline alone": outlines,
        "20 grey-level statistics": grey_statistics,
        "the view alone": views,
        "the patient's number alone": patient_numbers,
    }
)


def make_controls(learned: Sequence[Film], training: LabelledFilms, shown: Films, readings: Readings) -> Panel:
    """Return each control's readings of the shown films, fitted on the training films.

    learned: the films of `training`, in its order; readings: a model's, of the films in `shown`.
    """
    shares = np.ones(len(learned)) if training.shares is None else training.shares
    seen = {}
    for name, of in CONTROLS.items():
        inputs, judged = of(training.films, learned), of(shown, readings.films)
        mean, spread = inputs.mean(axis=0), inputs.std(axis=0) + 1e-6
        weights, biases = fit_softmax((inputs - mean) / spread, training.targets, shares / shares.sum(), RIDGE)
        logits = (judged - mean) / spread @ weights + biases
        seen[name] = replace(readings, logits=logits, temperature=1.0, said=None)
    return Panel(SIZE, 1, MappingProxyType(seen), ARCH)
