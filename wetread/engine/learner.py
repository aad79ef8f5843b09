"""The protocol of what an epoch loop trains, on any engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from wetread.engine.array import Array, Labels

Memory = tuple[dict[str, Array], dict[str, Any]]
"""What a resumed run must remember: arrays, and what JSON can hold."""


class Learner(Protocol):
    """A network with its optimizer and its loss: the engine's own, or another library's.

    learning_rate: the next step's, which a schedule sets. iterations: steps taken.
    """

    learning_rate: float

    @property
    def iterations(self) -> int:
        """Steps taken."""

    def step(self, X: Array, labels: Labels) -> tuple[float, Array]:
        """Take one step on images X (n, h, w, c) of classes labels (n,); return its loss and logits, from before it."""

    def evaluate(self, X: Array, labels: Labels) -> tuple[float, float]:
        """Return the mean loss and the accuracy on images X (n, h, w, c), without learning anything from them."""

    def weights(self) -> dict[str, Array]:
        """Return a copy of all weights, "layer/weight" -> array."""

    def load(self, weights: Mapping[str, Array]) -> None:
        """Take these weights, which `weights` returned of such a network."""

    def memory(self) -> Memory:
        """Return what it remembers between steps beside the weights; arrays have "slots/..." or such in front."""

    def remember(self, arrays: Mapping[str, Array], record: Mapping[str, Any]) -> None:
        """Take what `memory` returned, other arrays and entries being among it; raise ArtefactError when it cannot."""
