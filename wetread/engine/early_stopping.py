"""Early stopping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.errors import UsageError
from wetread.engine.array import Array
from wetread.engine.callback import Callback, Training

BETTER_WHEN_LOWER = {"loss": True, "val_loss": True, "accuracy": False, "val_accuracy": False}


class EarlyStopping(Callback):
    """End training when `monitor` has not improved by more than `min_delta` for `patience` epochs.

    At the end the learner has the weights of its best epoch again (`best_epoch`, from 0), whether the run was
    stopped or ran to its last epoch.

    Source: Prechelt, Early stopping - but when?, 1998.
    """

    name = "early_stopping"

    def __init__(self, monitor: str = "val_loss", patience: int = 10, min_delta: float = 0.0) -> None:
        if monitor not in BETTER_WHEN_LOWER or patience < 1:
            raise UsageError(
                f"expected a monitor out of {', '.join(BETTER_WHEN_LOWER)} and a patience of 1 or more, "
                f"found {monitor!r} and {patience}"
            )
        self.monitor = monitor
        self.patience = patience
        self.min_delta = min_delta
        self.best_epoch = -1
        self._best = float("inf")
        self._weights: dict[str, Array] = {}

    def on_epoch_end(self, training: Training) -> None:
        """Keep the weights of a better epoch; stop after too many that were not."""
        values = getattr(training.history, self.monitor)
        if not values:
            raise UsageError(f"early stopping watches {self.monitor}: give validation data, or watch the loss")
        value = values[-1] if BETTER_WHEN_LOWER[self.monitor] else -values[-1]
        if value < self._best - self.min_delta:
            self._best, self.best_epoch, self._weights = value, training.epoch, training.weights()
        elif training.epoch - self.best_epoch >= self.patience:
            training.stop = True

    def on_training_end(self, training: Training) -> None:
        """Give the learner its best weights back."""
        if self._weights:
            training.learner.load(self._weights)

    def memory(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return the best weights, their epoch and their value."""
        return self._weights, {"best_epoch": self.best_epoch, "best": self._best if self._weights else None}

    def remember(self, arrays: Mapping[str, Array], record: Mapping[str, Any]) -> None:
        """Take what `memory` returned."""
        self._weights = {name: array.copy() for name, array in arrays.items()}
        self.best_epoch = record["best_epoch"]
        self._best = float("inf") if record["best"] is None else record["best"]
