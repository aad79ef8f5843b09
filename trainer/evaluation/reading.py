"""Reads the films of a data set with a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.architecture import Architecture
from schemas.errors import DataError
from trainer.data.dataset import Dataset
from trainer.data.film import Film
from trainer.data.pixels import Films
from trainer.evaluation.deciding import said_of
from trainer.statistics.figures import Booleans, Floats, Integers
from wetread.engine.array import Array
from wetread.engine.serving import ServingNetwork
from wetread.imaging.preprocess import Preprocess
from wetread.models.classifier import Classifier
from wetread.models.decision import probabilities

BATCH = 64
"""Films whose pixels are scaled to float32 at a time, which bounds the memory."""


@dataclass(frozen=True)
class Readings:
    """A model's logits (n, labels) for n films, the temperature they are read with, and the truth.

    said: whether the decision gives each film its most probable label, (n,); None where there are no thresholds.
    """

    films: tuple[Film, ...]
    labels: tuple[str, ...]
    logits: Floats
    temperature: float = 1.0
    said: Booleans | None = None

    def __post_init__(self) -> None:
        if not self.films:
            raise DataError("expected films to evaluate on, found none")
        if self.logits.shape != (len(self.films), len(self.labels)):
            raise DataError(f"expected logits of {(len(self.films), len(self.labels))}, found {self.logits.shape}")
        if self.said is not None and self.said.shape != (len(self.films),):
            raise DataError(f"expected a decision for each of {len(self.films)} films, found {self.said.shape}")

    @property
    def probabilities(self) -> Floats:
        """Softmax of the logits at the temperature, (n, labels)."""
        return probabilities(self.logits, self.temperature)

    @property
    def targets(self) -> Integers:
        """The index of each film's label, (n,)."""
        return np.array([self.labels.index(film.label) for film in self.films], dtype=np.int64)

    @property
    def patients(self) -> list[str]:
        """The patient of each film; one name for a person with several ids."""
        return [film.person for film in self.films]

    def part(self, indices: Sequence[int]) -> Readings:
        """Return the readings of some films."""
        chosen = list(indices)
        films = tuple(self.films[index] for index in chosen)
        said = None if self.said is None else self.said[chosen]
        return Readings(films, self.labels, self.logits[chosen], self.temperature, said)


def pooled(parts: Sequence[Readings]) -> Readings:
    """Return the readings of other films each as one, in order; logits are divided by their temperature, so it is 1."""
    films = tuple(film for part in parts for film in part.films)
    logits = np.concatenate([of.logits / of.temperature for of in parts])
    said = [of.said for of in parts if of.said is not None]
    return Readings(films, parts[0].labels, logits, said=np.concatenate(said) if said else None)


def read_by_classifier(classifier: Classifier, films: Films) -> Floats:
    """Return the logits (n, labels) of films (n, height, width), as `classifier` computes them."""
    return _read(lambda images: classifier.read(images).logits, classifier.preprocess, films)


def read_by_weights(
    architecture: Architecture, weights: Mapping[str, Array], preprocess: Preprocess, films: Films
) -> Floats:
    """Return the logits (n, labels) of a network that is no artefact yet, as the engine serves it."""
    return _read(ServingNetwork(architecture, weights).logits, preprocess, films)


def readings_of(
    dataset: Dataset,
    indices: Sequence[int],
    logits: Floats,
    temperature: float,
    thresholds: Mapping[str, float] | None = None,
) -> Readings:
    """Return the readings of the films at `indices`, in that order, decided by `thresholds` where there are some."""
    films = tuple(dataset.films[index] for index in indices)
    said = said_of(probabilities(logits, temperature), dataset.labels, thresholds) if thresholds else None
    return Readings(films, dataset.labels, logits, temperature, said)


def _read(logits_of: Callable[[npt.NDArray[np.float32]], Array], preprocess: Preprocess, films: Films) -> Floats:
    parts = [
        logits_of(preprocess.scaled(films[start : start + BATCH])[..., np.newaxis]).astype(np.float64)
        for start in range(0, len(films), BATCH)
    ]
    return np.concatenate(parts)
