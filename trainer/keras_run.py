"""A training on Keras between two epochs: what is validated and kept of it, and what a checkpoint holds of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from schemas.errors import ArtefactError, DataError
from trainer.training import Lesson
from wetread.engine.array import Array
from wetread.engine.averaging import WeightAverage
from wetread.engine.checkpoint import Checkpoint
from wetread.engine.history import History
from wetread.models.keras_network import get_weights, set_weights


@dataclass
class KerasRun:
    """The model and all that is remembered beside it.

    read: images (n, h, w, c) -> logits (n, classes), without learning.
    best_epoch: from 0, the one whose weights are kept; best_weights: these.
    """

    lesson: Lesson
    model: Any
    optimizer: Any
    read: Callable[[Array], Array]
    average: WeightAverage | None = None
    history: History = field(default_factory=History)
    best_epoch: int = -1
    best_weights: dict[str, Array] = field(default_factory=dict)

    def judged_weights(self) -> dict[str, Array]:
        """Return the weights that are validated and kept; raise DataError when they are no longer numbers."""
        weights = dict(get_weights(self.model)) if self.average is None else self.average.judged_weights()
        if not all(np.isfinite(array).all() for array in weights.values()):
            raise DataError("the weights are no longer finite: use a smaller learning rate")
        return weights

    def validate(self) -> tuple[float, float]:
        """Return the loss and the accuracy of the judged weights on the validation films; the model keeps its own."""
        if self.lesson.validation is None:
            raise DataError("expected validation films, found none")
        images, labels = self.lesson.validation
        own = get_weights(self.model)
        set_weights(self.model, self.lesson.architecture, self.judged_weights())
        logits = self.read(images)
        set_weights(self.model, self.lesson.architecture, own)
        return self.lesson.loss(logits, labels)[0], float((logits.argmax(axis=1) == labels).mean())

    def end_epoch(self, epoch: int) -> bool:
        """Keep the weights when they are the best so far; return whether to train on."""
        patience, losses = self.lesson.options.patience, self.history.val_loss
        if patience is None or self.best_epoch < 0 or losses[-1] < losses[self.best_epoch]:
            self.best_epoch, self.best_weights = epoch, self.judged_weights()
            return True
        return epoch - self.best_epoch < patience

    def checkpoint(self) -> Checkpoint:
        """Return all that a run made as this one needs to go on; taken at the end of an epoch."""
        average, steps = ({}, {}) if self.average is None else self.average.memory()
        arrays = {f"weights/{name}": array for name, array in get_weights(self.model).items()}
        arrays |= {f"best/{name}": array for name, array in self.best_weights.items()}
        arrays |= {f"average/{name}": array for name, array in average.items()}
        arrays |= {name: np.array(variable.numpy()) for name, variable in self._variables().items()}
        return Checkpoint(arrays, {"history": self.history.to_json(), "best_epoch": self.best_epoch, "average": steps})

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from `checkpoint`; raise ArtefactError when it is of another network or optimizer."""
        set_weights(self.model, self.lesson.architecture, _under("weights/", checkpoint))
        variables = self._variables()
        if missing := sorted(variables.keys() - checkpoint.arrays.keys()):
            raise ArtefactError(f"expected a checkpoint with {', '.join(missing)}, found none: begin anew")
        for name, variable in variables.items():
            variable.assign(checkpoint.arrays[name])
        if self.average is not None:
            self.average.remember(_under("average/", checkpoint), checkpoint.record["average"])
        self.history = History.from_json(checkpoint.record["history"])
        self.best_epoch, self.best_weights = checkpoint.record["best_epoch"], _under("best/", checkpoint)

    def _variables(self) -> dict[str, Any]:
        """Return what changes beside the weights: the optimizer's memory, and the state of each dropout's draws."""
        slots = {f"slots/{place}": variable for place, variable in enumerate(self.optimizer.variables)}
        return slots | {
            f"generators/{layer.name}": layer.seed_generator.state
            for layer in self.model.layers
            if hasattr(layer, "seed_generator")
        }


def _under(prefix: str, checkpoint: Checkpoint) -> dict[str, Array]:
    return {name.removeprefix(prefix): array for name, array in checkpoint.arrays.items() if name.startswith(prefix)}
