"""Training: mini-batch gradient descent over epochs."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from schemas.errors import DataError
from wetread.engine.array import Array, Labels
from wetread.engine.batches import Batches
from wetread.engine.callback import Callback, Training
from wetread.engine.checkpoint import Checkpoint
from wetread.engine.history import History
from wetread.engine.loss import SoftmaxCrossEntropy
from wetread.engine.network import Network
from wetread.engine.optimizers.optimizer import Optimizer
from wetread.engine.schedules import Schedule

EVALUATION_BATCH = 64
"""Images a batch where no gradient is taken."""


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
    """Train the network in place and return what was measured.

    Each batch takes one step: forward, loss, backward, update, at the schedule's learning rate where
    there is one. Validation images X (n, h, w, c) and labels (n,) are read after every epoch, with the weights that
    a callback gives to be judged where one does; the network ends with these. `resume` goes on
    after a checkpoint's last epoch, to `epochs` in all: with the network, optimizer, batches and callbacks made
    as before, weights and figures become, bit for bit, those of a run that never stopped.
    Raises DataError when an epoch has no batch, or when the loss is no longer finite.
    """
    training = Training(network, optimizer, epochs, tuple(callbacks))
    if resume is not None:
        training.history = resume.restore(network, optimizer)
        for callback in training.callbacks:
            if callback.name and callback.name in resume.record["callbacks"]:
                callback.remember(*resume.callback_memory(callback.name))
    for epoch in range(training.history.epochs, epochs):
        training.epoch = epoch
        started = time.perf_counter()
        _train_epoch(training, batches, loss, schedule)
        history = training.history
        history.loss.append(training.loss)
        history.accuracy.append(training.accuracy)
        if validation is not None:
            val_loss, val_accuracy = _validate(training, validation, loss)
            history.val_loss.append(val_loss)
            history.val_accuracy.append(val_accuracy)
        history.seconds.append(time.perf_counter() - started)
        for callback in training.callbacks:
            callback.on_epoch_end(training)
        if training.stop:
            break
    network.load(training.weights())
    for callback in training.callbacks:
        callback.on_training_end(training)
    return training.history


def _validate(training: Training, validation: tuple[Array, Labels], loss: SoftmaxCrossEntropy) -> tuple[float, float]:
    """Return the loss and the accuracy of the weights that the run is judged by; the network keeps its own."""
    own = training.network.weights()
    training.network.load(training.weights())
    figures = evaluate(training.network, *validation, loss)
    training.network.load(own)
    return figures


def evaluate(network: Network, X: Array, labels: Labels, loss: SoftmaxCrossEntropy) -> tuple[float, float]:
    """Return the mean loss and the accuracy on images X (n, h, w, c), without learning anything from them."""
    total_loss = correct = 0.0
    for start in range(0, len(X), EVALUATION_BATCH):
        here = slice(start, start + EVALUATION_BATCH)
        logits = network.forward(X[here])
        total_loss += loss(logits, labels[here])[0] * len(logits)
        correct += int((logits.argmax(axis=1) == labels[here]).sum())
    return total_loss / len(X), correct / len(X)


def check_loss(loss: float, epoch: int) -> None:
    """Raise DataError where a batch's loss is no longer finite; epoch counts from 0."""
    if not math.isfinite(loss):
        raise DataError(f"expected a finite loss, found {loss} in epoch {epoch + 1}: use a smaller learning rate")


def train_step(
    network: Network, X: Array, labels: Labels, optimizer: Optimizer, loss: SoftmaxCrossEntropy
) -> tuple[float, Array]:
    """Take one step on one batch; return its loss and its logits, both from before the step."""
    logits = network.forward(X, training=True)
    value, dlogits = loss(logits, labels)
    network.backward(dlogits)
    optimizer.step(network.parameter_vector, network.gradient_vector)
    return value, logits


def _train_epoch(training: Training, batches: Batches, loss: SoftmaxCrossEntropy, schedule: Schedule | None) -> None:
    total_loss = 0.0
    images = correct = 0
    for batch, (X, labels) in enumerate(batches(training.epoch)):
        training.batch = batch
        if schedule is not None:
            training.optimizer.learning_rate = schedule(training.optimizer.iterations)
        value, logits = train_step(training.network, X, labels, training.optimizer, loss)
        check_loss(value, training.epoch)
        images += len(X)
        total_loss += value * len(X)
        correct += int((logits.argmax(axis=1) == labels).sum())
        training.images, training.loss, training.accuracy = images, total_loss / images, correct / images
        for callback in training.callbacks:
            callback.on_batch_end(training)
    if not images:
        raise DataError("expected at least one training batch, found none: the training data is empty")
