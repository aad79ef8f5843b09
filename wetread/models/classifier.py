"""The protocol that reads images, and what its engines share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from schemas.errors import UsageError
from wetread.imaging.preprocess import Preprocess
from wetread.models.artefact import Artefact

READ_BATCH = 32
"""Images that go through a network together, which bounds its memory; 16 to 64 were equally fast on Keras."""

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Readout:
    """What the network says of n images: logits (n, k), and features (n, f) that the last layer took."""

    logits: FloatArray
    features: FloatArray


class Classifier(Protocol):
    """A model ready to read on one engine."""

    @property
    def engine(self) -> str:
        """Return the name that predictions carry: one of `schemas.predictions.ENGINES`."""

    @property
    def at_once(self) -> int:
        """Return how many images are to be read before anybody is told that reading goes on."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the labels in the order of the logits."""

    @property
    def digest(self) -> str:
        """Return the model digest that readings belong to."""

    @property
    def preprocess(self) -> Preprocess:
        """Return the steps from grey pixels to this network's input."""

    def read(self, images: FloatArray) -> Readout:
        """Return the readout of preprocessed `images`, (n, h, w, 1); raise UsageError for another shape."""


def checked_images(images: FloatArray, artefact: Artefact) -> FloatArray:
    """Return `images` as float32; raise UsageError unless they are a batch of this network's input."""
    expected = artefact.card.film_shape
    if images.ndim != 4 or images.shape[1:] != expected:
        raise UsageError(
            f"model {artefact.card.name}: expected images of (n, {', '.join(map(str, expected))}), found "
            f"{images.shape}; preprocess them with the model's own record"
        )
    return np.ascontiguousarray(images, dtype=np.float32)


def in_batches(read: Callable[[FloatArray], tuple[FloatArray, FloatArray]], images: FloatArray) -> Readout:
    """Return the readout of `images`, read by `read` (logits and features) at most READ_BATCH at a time."""
    if not len(images):
        logits, features = read(np.zeros((1, *images.shape[1:]), np.float32))
        return Readout(logits[:0], features[:0])
    parts = [read(images[start : start + READ_BATCH]) for start in range(0, len(images), READ_BATCH)]
    logits, features = (np.concatenate(side) for side in zip(*parts, strict=True))
    return Readout(logits, features)
