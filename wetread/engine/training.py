"""Training: mini-batch gradient descent over epochs, on any engine."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence

import numpy as np

from schemas.errors import DataError
from wetread.engine.array import Array, Labels
from wetread.engine.batches import Batches
from wetread.engine.callback import Callback, Training
from wetread.engine.checkpoint import Checkpoint
from wetread.engine.history import History
from wetread.engine.learner import Learner
from wetread.engine.loss import SoftmaxCrossEntropy
from wetread.engine.network import Network
from wetread.engine.network_learner import NetworkLearner
from wetread.engine.optimizers.optimizer import Optimizer
from wetread.engine.schedules import Schedule

SMALLER = "use a smaller learning rate"


def fit(
    network: Network,
    batches: Batches,
    *,
    epochs: int,
    optimizer: Optimizer,
    loss: SoftmaxCrossEntropy,
    validation: tuple[Array, Labels] | None = None,
    callbacks: Sequence[Callback] = (),
    schedule: Schedule | None = None,
    resume: Checkpoint | None = None,
) -> History:
    """Train the network in place and return what was measured: `fit_learner` of it with this optimizer and loss."""
    learner = NetworkLearner(network, optimizer, loss)
    return fit_learner(
        learner, batches, epochs=epochs, validation=validation, callbacks=callbacks, schedule=schedule, resume=resume
    )


def fit_learner(
    learner: Learner,
    batches: Batches,
    *,
    epochs: int,
    validation: tuple[Array, Labels] | None = None,
    callbacks: Sequence[Callback] = (),
    schedule: Schedule | None = None,
    resume: Checkpoint | None = None,
) -> History:
    """Train the learner in place and return what was measured.

    Each batch takes one step, at the schedule's learning rate where
    there is one. Validation images X (n, h, w, c) and labels (n,) are read after every epoch, with the weights that
    a callback gives to be judged where one does; the learner ends with these. `resume` goes on
    after a checkpoint's last epoch, to `epochs` in all: with learner, batches and callbacks made
    as before, weights and figures become, bit for bit on the engine, those of a run that never stopped.
    Raises DataError when an epoch has no batch, or when the loss or the weights are no longer finite.
    """
    training = Training(learner, epochs, tuple(callbacks))
    if resume is not None:
        training.history = resume.restore(learner)
        for callback in training.callbacks:
            if callback.name and callback.name in resume.record["callbacks"]:
                callback.remember(*resume.callback_memory(callback.name))
    for epoch in range(training.history.epochs, epochs):
        training.epoch = epoch
        started = time.perf_counter()
        _train_epoch(training, batches, schedule)
        history = training.history
        history.loss.append(training.loss)
        history.accuracy.append(training.accuracy)
        check_weights(training.weights(), epoch)
        if validation is not None:
            val_loss, val_accuracy = _validate(training, validation)
            history.val_loss.append(val_loss)
            history.val_accuracy.append(val_accuracy)
        history.seconds.append(time.perf_counter() - started)
        for callback in training.callbacks:
            callback.on_epoch_end(training)
        if training.stop:
            break
    learner.load(training.weights())
    for callback in training.callbacks:
        callback.on_training_end(training)
    return training.history


def check_loss(loss: float, epoch: int) -> None:
    """Raise DataError where a batch's loss is no longer finite; epoch counts from 0."""
    if not math.isfinite(loss):
        raise DataError(f"expected a finite loss, found {loss} in epoch {epoch + 1}: {SMALLER}")


def check_weights(weights: Mapping[str, Array], epoch: int) -> None:
    """Raise DataError where weights are no longer finite, which a loss can outlive by a step; epoch counts from 0."""
    for name, array in weights.items():
        if not np.isfinite(array).all():
            raise DataError(f"expected finite weights, found others in {name} after epoch {epoch + 1}: {SMALLER}")


def _validate(training: Training, validation: tuple[Array, Labels]) -> tuple[float, float]:
    """Return the loss and the accuracy of the weights that the run is judged by; the learner keeps its own."""
    own = training.learner.weights()
    training.learner.load(training.weights())
    figures = training.learner.evaluate(*validation)
    training.learner.load(own)
    return figures


def _train_epoch(training: Training, batches: Batches, schedule: Schedule | None) -> None:
    total_loss = 0.0
    images = correct = 0
    for batch, (X, labels) in enumerate(batches(training.epoch)):
        training.batch = batch
        if schedule is not None:
            training.learner.learning_rate = schedule(training.learner.iterations)
        value, logits = training.learner.step(X, labels)
        check_loss(value, training.epoch)
        images += len(X)
        total_loss += value * len(X)
        correct += int((logits.argmax(axis=1) == labels).sum())
        training.images, training.loss, training.accuracy = images, total_loss / images, correct / images
        for callback in training.callbacks:
            callback.on_batch_end(training)
    if not images:
        raise DataError("expected at least one training batch, found none: the training data is empty")
