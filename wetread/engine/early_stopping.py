"""Early stopping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.errors import UsageError
from wetread.engine.array import Array
from wetread.engine.callback import Callback, Training


class EarlyStopping(Callback):
    """End training when the validation loss has not improved for `patience` epochs.

    At the end the network has the weights of its best epoch again (`best_epoch`, from 0), whether the run was
    stopped or ran to its last epoch.

    Source: Prechelt, Early stopping - but when?, 1998.
    """

    name = "early_stopping"

    def __init__(self, patience: int) -> None:
        if patience < 1:
            raise UsageError(f"expected a patience of 1 epoch or more, found {patience}")
        self.patience = patience
        self.best_epoch = -1
        self._best = float("inf")
        self._weights: dict[str, Array] = {}

    def on_epoch_end(self, training: Training) -> None:
        """Keep the weights of a better epoch; stop after too many that were not."""
        if not training.history.val_loss:
            raise UsageError("early stopping watches the validation loss: give validation data, or train without it")
        value = training.history.val_loss[-1]
        if value < self._best:
            self._best, self.best_epoch, self._weights = value, training.epoch, training.weights()
        elif training.epoch - self.best_epoch >= self.patience:
            training.stop = True

    def on_training_end(self, training: Training) -> None:
        """Give the network its best weights back."""
        if self._weights:
            training.network.load(self._weights)

    def memory(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return the best weights, their epoch and their value."""
        return self._weights, {"best_epoch": self.best_epoch, "best": self._best if self._weights else None}

    def remember(self, arrays: Mapping[str, Array], record: Mapping[str, Any]) -> None:
        """Take what `memory` returned."""
        self._weights = {name: array.copy() for name, array in arrays.items()}
        self.best_epoch = record["best_epoch"]
        self._best = float("inf") if record["best"] is None else record["best"]
