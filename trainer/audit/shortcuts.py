"""Finds what tells the label without the lungs: each candidate alone, given to a small model.

A network takes the easiest way to the label. Where the source, the size, the kind of file, the view or the
border gives the label away, its accuracy says nothing of disease (DeGrave et al. 2021, Nature Machine
Intelligence 3; Maguolo and Nanni 2021, Information Fusion 76). The figure is the AUROC of each label
against the rest on held-out patients, by 5-fold cross-validation, with its interval by patient.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trainer.audit.film_features import BLOCKS, Look
from trainer.data.dataset import Dataset
from trainer.data.dealing import grouped_folds
from trainer.data.film import Film
from trainer.data.side import Side
from trainer.statistics.figures import Floats, auroc
from trainer.statistics.intervals import Estimate, estimates
from trainer.statistics.one_against_rest import fit_logistic_by_label

LEAST_PATIENTS = 10
"""A label with fewer patients, or with fewer of other labels, is not judged: chance alone could give it away."""

THUMBNAIL = "thumbnail"
"""The one kind that holds the lungs."""

_FOLDS = 5
_DEALT = 0
"""Seed of the folds."""
_STEPS = 10
"""Parts of equal number into which a measure is cut, so that a model of straight lines finds any shape."""
_RING = np.ones((BLOCKS, BLOCKS), bool)
_RING[1:-1, 1:-1] = False

Features = Callable[[Sequence[Film], Sequence[Look]], Floats]


@dataclass(frozen=True, slots=True)
class Shortcut:
    """How well one thing alone tells one label from the rest on patients that the small model did not see."""

    kind: str
    label: str
    auroc: Estimate


def find_shortcuts(dataset: Dataset, looks: Sequence[Look]) -> list[Shortcut]:
    """Return a figure for each kind of FEATURES and each label that can be judged.

    A kind that is the same for all films is left out. The same films give the same figures.
    """
    labels = judged_labels(dataset)
    if not labels:
        return []
    truths = np.array([[film.label == label for label in labels] for film in dataset.films], dtype=np.float64)
    held_out = [
        np.array(fold.indices(dataset, Side.TEST))
        for fold in grouped_folds(dataset, _FOLDS, validation=0.0, seed=_DEALT)
    ]
    patients = [film.person for film in dataset.films]
    found = []
    for kind, features_of in FEATURES.items():
        features = features_of(dataset.films, looks)
        if (features == features[0]).all():
            continue
        logits = _cross_validated(features, truths, held_out)
        areas = [auroc(truths[:, number] == 1, logits[:, number]) for number in range(len(labels))]
        for label, estimate in zip(labels, estimates(areas, patients), strict=True):
            if estimate is not None:
                found.append(Shortcut(kind, label, estimate))
    return found


def judged_labels(dataset: Dataset) -> tuple[str, ...]:
    """Return the labels with enough patients for a judgement."""
    having = {label: {film.person for film in dataset.films if film.label == label} for label in dataset.labels}
    others = {label: {film.person for film in dataset.films if film.label != label} for label in dataset.labels}
    return tuple(
        label for label in dataset.labels if min(len(having[label]), len(others[label])) >= LEAST_PATIENTS
    )  # fmt: skip


def _cross_validated(features: Floats, truths: Floats, held_out: Sequence[np.ndarray]) -> Floats:
    """Return logits (n, labels), each from a fit to the films of other folds' patients."""
    logits = np.zeros_like(truths)
    for fold in held_out:
        others = np.ones(len(truths), bool)
        others[fold] = False
        logits[fold] = fit_logistic_by_label(features[others], truths[others]).logits(features[fold])
    return logits


def _source(films: Sequence[Film], _looks: Sequence[Look]) -> Floats:
    return _indicators([film.source for film in films])


def _view(films: Sequence[Film], _looks: Sequence[Look]) -> Floats:
    return _indicators([film.attributes.get("view", "") for film in films])


def _size(_films: Sequence[Film], looks: Sequence[Look]) -> Floats:
    sides = np.array([(look.height, look.width) for look in looks], dtype=np.float64)
    return np.hstack([_steps(sides[:, 0]), _steps(sides[:, 1]), _steps(sides[:, 1] / sides[:, 0])])


def _format(_films: Sequence[Film], looks: Sequence[Look]) -> Floats:
    # Bytes a pixel tell how hard a file, or the file that it was made from, was compressed.
    bytes_per_pixel = np.array([look.bytes_per_pixel for look in looks])
    return np.hstack([_indicators([look.form for look in looks]), _steps(bytes_per_pixel)])


def _border(_films: Sequence[Film], looks: Sequence[Look]) -> Floats:
    return np.array([np.concatenate([look.means[_RING], look.deviations[_RING]]) for look in looks], dtype=np.float64)


def _thumbnail(_films: Sequence[Film], looks: Sequence[Look]) -> Floats:
    return np.array([look.means.ravel() for look in looks], dtype=np.float64)


FEATURES: Mapping[str, Features] = {
    "source": _source,
    "view": _view,
    "size": _size,
    "format": _format,
    "border": _border,
    THUMBNAIL: _thumbnail,
}
"""Kind -> features (n, columns): where a film comes from, how the patient was placed, height, width and aspect,
kind of file with bits, channels and bytes a pixel, the outermost sixteenth on each side, and 16 x 16 means."""


def _indicators(values: Sequence[Hashable]) -> Floats:
    """Return a column of 0 and 1 for each value."""
    distinct = list(dict.fromkeys(values))
    return np.array([[value == one for one in distinct] for value in values], dtype=np.float64)


def _steps(values: Floats) -> Floats:
    """Return a column of 0 and 1 for each part of the values' range; a value that many films have is a part."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, _STEPS + 1)[1:-1], method="nearest"))
    parts = np.searchsorted(edges, values, side="left") + np.searchsorted(edges, values, side="right")
    return _indicators(parts.tolist())
