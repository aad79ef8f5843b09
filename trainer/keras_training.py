"""Training on Keras: the engine's loop, with TensorFlow computing each step.

A loop of our own instead of `Model.fit`, so that batches, loss, schedule, averaging, early stopping and
figures are the engine's, to the letter.
"""

from __future__ import annotations

import time

from trainer.devices import tensorflow_device
from trainer.keras_run import KerasRun
from trainer.keras_step import Step, compiled_reading, compiled_step, make_keras_optimizer
from trainer.training import Lesson, Progress, Trained
from wetread.engine.averaging import WeightAverage
from wetread.engine.training import check_loss
from wetread.models.keras_network import build_keras, get_weights, set_weights
from wetread.models.keras_runtime import import_keras


def fit_keras(lesson: Lesson) -> Trained:
    """Train as `lesson` says; raises as `trainer.training.train` does."""
    options = lesson.options
    tensorflow, keras = import_keras(options.threads)
    # One seed gives one model: without it, threads add gradients up in any order.
    tensorflow.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(options.seed)
    with tensorflow.device(tensorflow_device(tensorflow, options.device)):
        model = build_keras(lesson.architecture, seed=options.seed)
        set_weights(model, lesson.architecture, lesson.first_weights)
        optimizer = make_keras_optimizer(keras, model, lesson)
        run = KerasRun(lesson, model, optimizer, compiled_reading(tensorflow, model, lesson))
        if options.average is not None:
            run.average = WeightAverage(options.average, lesson.first_weights)
        if lesson.checkpoints is not None and lesson.checkpoints.last is not None:
            run.restore(lesson.checkpoints.last)
        return _fit(run, compiled_step(tensorflow, model, optimizer, lesson))


def _fit(run: KerasRun, step: Step) -> Trained:
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
        if lesson.checkpoints is not None:
            lesson.checkpoints.keep(run.checkpoint())
    return Trained(run.best_weights, history, run.best_epoch + 1)


def _train_epoch(run: KerasRun, step: Step, epoch: int) -> tuple[float, float]:
    """Return the epoch's mean loss and accuracy."""
    lesson, batches = run.lesson, len(run.lesson.batches)
    rate = lesson.options.rate_of(batches)
    total_loss, films, right = 0.0, 0, 0
    for batch, (images, labels) in enumerate(lesson.batches(epoch)):
        loss, logits = step(images, labels, rate(epoch * batches + batch))
        check_loss(loss, epoch)
        if run.average is not None:
            run.average.add(get_weights(run.model))
        films += len(images)
        total_loss += loss * len(images)
        right += int((logits.argmax(axis=1) == labels).sum())
        lesson.report(Progress(epoch + 1, lesson.options.epochs, batch + 1, batches, total_loss / films, right / films))
    return total_loss / films, right / films
