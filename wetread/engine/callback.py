"""Callbacks of a training: progress, early stopping, checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wetread.engine.array import Array
from wetread.engine.checkpoint import Checkpoint
from wetread.engine.history import History
from wetread.engine.learner import Learner, Memory


@dataclass(slots=True)
class Training:
    """Where a training run stands; what callbacks see.

    epoch and batch count from 0. loss and accuracy are the means over the epoch so far; `images` of it are done.
    A callback sets `stop` to end the run after this epoch.
    """

    learner: Learner
    epochs: int
    callbacks: tuple[Callback, ...] = ()
    history: History = field(default_factory=History)
    epoch: int = 0
    batch: int = 0
    images: int = 0
    loss: float = 0.0
    accuracy: float = 0.0
    stop: bool = False

    def weights(self) -> dict[str, Array]:
        """Return the weights that the run is judged by: a callback's where one gives some, else the learner's."""
        for callback in self.callbacks:
            if (judged := callback.judged_weights()) is not None:
                return judged
        return self.learner.weights()

    def checkpoint(self) -> Checkpoint:
        """Return all that a resumed run needs to go on to the same bits; taken at the end of an epoch."""
        return Checkpoint.of(self.learner, self.history, {c.name: c.memory() for c in self.callbacks if c.name})


class Callback:
    """Called during training, in the order given; every method is optional.

    One that takes `training.checkpoint()` comes last, so that the others' memory is up to date.

    name: unique among the run's callbacks; one with a name has its memory kept in checkpoints.
    """

    name: str = ""

    def on_batch_end(self, training: Training) -> None:
        """Act after a step."""

    def on_epoch_end(self, training: Training) -> None:
        """Act after an epoch, its figures already in `training.history`."""

    def on_training_end(self, training: Training) -> None:
        """Act after the last epoch."""

    def judged_weights(self) -> dict[str, Array] | None:
        """Return weights to be validated and kept instead of the learner's own, or None."""
        return None

    def memory(self) -> Memory:
        """Return what a resumed run must remember: arrays, and what JSON can hold."""
        return {}, {}

    def remember(self, arrays: Mapping[str, Array], record: Mapping[str, Any]) -> None:
        """Take what `memory` returned."""
