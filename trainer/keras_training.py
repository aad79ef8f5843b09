"""Training on Keras: the engine's loop, with TensorFlow computing each step.

A loop of our own instead of `Model.fit`, so that batches, loss, schedule, averaging, early stopping and
figures are the engine's, to the letter.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from schemas.errors import DataError
from trainer.keras_step import Step, compiled_reading, compiled_step, make_keras_optimizer
from trainer.training import Lesson, Progress, Trained
from wetread.engine.array import Array
from wetread.engine.averaging import WeightAverage
from wetread.engine.history import History
from wetread.models.keras_network import build_keras, get_weights, set_weights
from wetread.models.keras_runtime import import_keras


def fit_keras(lesson: Lesson) -> Trained:
    """Train as `lesson` says; raises as `trainer.training.train` does."""
    options = lesson.options
    tensorflow, keras = import_keras(options.threads)
    # One seed gives one model: without it, threads add gradients up in any order.
    tensorflow.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(options.seed)
    model = build_keras(lesson.architecture, seed=options.seed)
    set_weights(model, lesson.architecture, lesson.first_weights)
    optimizer = make_keras_optimizer(keras, model, lesson)
    run = _Run(lesson, model, compiled_reading(tensorflow, model, lesson))
    if options.average is not None:
        run.average = WeightAverage(options.average, lesson.first_weights)
    return _fit(run, compiled_step(tensorflow, model, optimizer, lesson))


@dataclass
class _Run:
    """A training between two epochs. best_epoch: from 0, the one whose weights are kept; best_weights: these."""

    lesson: Lesson
    model: Any
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


def _fit(run: _Run, step: Step) -> Trained:
    lesson, history = run.lesson, run.history
    epochs = lesson.options.epochs
    for epoch in range(history.epochs, epochs):
        started = time.perf_counter()
        loss, accuracy = _train_epoch(run, step, epoch)
        history.loss.append(loss)
        history.accuracy.append(accuracy)
        if lesson.validation is not None:
            val_loss, val_accuracy = run.validate()
            history.val_loss.append(val_loss)
            history.val_accuracy.append(val_accuracy)
            batches = len(lesson.batches)
            lesson.report(Progress(epoch + 1, epochs, batches, batches, loss, accuracy, val_loss, val_accuracy))
        history.seconds.append(time.perf_counter() - started)
        if not run.end_epoch(epoch):
            break
    return Trained(run.best_weights, history, run.best_epoch + 1)


def _train_epoch(run: _Run, step: Step, epoch: int) -> tuple[float, float]:
    """Return the epoch's mean loss and accuracy."""
    lesson, batches = run.lesson, len(run.lesson.batches)
    rate = lesson.options.rate_of(batches)
    total_loss, films, right = 0.0, 0, 0
    for batch, (images, labels) in enumerate(lesson.batches(epoch)):
        loss, logits = step(images, labels, rate(epoch * batches + batch))
        if not np.isfinite(loss):
            raise DataError(f"the loss became {loss} in epoch {epoch + 1}: use a smaller learning rate")
        if run.average is not None:
            run.average.add(get_weights(run.model))
        films += len(images)
        total_loss += loss * len(images)
        right += int((logits.argmax(axis=1) == labels).sum())
        lesson.report(Progress(epoch + 1, lesson.options.epochs, batch + 1, batches, total_loss / films, right / films))
    return total_loss / films, right / films
