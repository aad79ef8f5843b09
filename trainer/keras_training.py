"""Training on Keras: the engine's loop, with TensorFlow computing each step.

A loop of our own instead of `Model.fit`, so that batches, loss, schedule, early stopping and figures are
the engine's, to the letter; the step itself is compiled once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from schemas.errors import DataError
from trainer.training import Lesson, Progress, Trained
from wetread.engine.array import Array, Labels
from wetread.engine.history import History
from wetread.engine.optimizers.build import OPTIMIZERS
from wetread.models.keras_network import build_keras, get_weights, set_weights
from wetread.models.keras_runtime import import_keras
from wetread.models.weights import Weights

EVALUATION_BATCH = 64
"""Films that go through the network together where nothing is learnt."""

Step = Callable[[Array, Labels, float], tuple[float, Array]]
"""Images, labels, learning rate -> the batch's loss and logits, from before the step."""


def fit_keras(lesson: Lesson) -> Trained:
    """Train as `lesson` says; raises as `trainer.training.train` does."""
    tensorflow, keras = import_keras(lesson.options.threads)
    # One seed gives one model: without it, threads add gradients up in any order.
    tensorflow.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(lesson.options.seed)
    model = build_keras(lesson.architecture, seed=lesson.options.seed)
    set_weights(model, lesson.architecture, lesson.first_weights)
    step = _compiled_step(tensorflow, keras, model, lesson)
    return _fit(lesson, model, step, _compiled_reading(tensorflow, model, lesson))


def _fit(lesson: Lesson, model: Any, step: Step, read: Callable[[Array], Array]) -> Trained:
    options, history = lesson.options, History()
    rate = options.rate_of(len(lesson.batches))
    best_epoch, best_weights = 0, get_weights(model)
    for epoch in range(options.epochs):
        started = time.perf_counter()
        loss, accuracy = _train_epoch(lesson, step, rate, epoch)
        history.loss.append(loss)
        history.accuracy.append(accuracy)
        if lesson.validation is not None:
            images, labels = lesson.validation
            logits = read(images)
            history.val_loss.append(lesson.loss(logits, labels)[0])
            history.val_accuracy.append(float((logits.argmax(axis=1) == labels).mean()))
            batches = len(lesson.batches)
            figures = (loss, accuracy, history.val_loss[-1], history.val_accuracy[-1])
            lesson.report(Progress(epoch + 1, options.epochs, batches, batches, *figures))
        history.seconds.append(time.perf_counter() - started)
        if options.patience is None:
            continue
        if epoch == 0 or history.val_loss[-1] < history.val_loss[best_epoch]:
            best_epoch, best_weights = epoch, get_weights(model)
        elif epoch - best_epoch >= options.patience:
            break
    if options.patience is None:
        best_epoch, best_weights = history.epochs - 1, get_weights(model)
    return Trained(_writable(best_weights), history, best_epoch + 1)


def _train_epoch(lesson: Lesson, step: Step, rate: Callable[[int], float], epoch: int) -> tuple[float, float]:
    """Return the epoch's mean loss and accuracy."""
    total_loss, films, right = 0.0, 0, 0
    for batch, (images, labels) in enumerate(lesson.batches(epoch)):
        loss, logits = step(images, labels, rate(epoch * len(lesson.batches) + batch))
        if not np.isfinite(loss):
            raise DataError(f"the loss became {loss} in epoch {epoch + 1}: use a smaller learning rate")
        films += len(images)
        total_loss += loss * len(images)
        right += int((logits.argmax(axis=1) == labels).sum())
        lesson.report(
            Progress(
                epoch + 1, lesson.options.epochs, batch + 1, len(lesson.batches), total_loss / films, right / films
            )
        )
    return total_loss / films, right / films


def _compiled_step(tensorflow: Any, keras: Any, model: Any, lesson: Lesson) -> Step:
    """Return one step of training as a compiled function; the loss is `wetread.engine.loss`'s."""
    options = lesson.options
    optimizer = getattr(keras.optimizers, OPTIMIZERS[options.optimizer].__name__)(**options.optimizer_settings)
    optimizer.build(model.trainable_variables)
    classes = int(model.output_shape[-1])
    weights = lesson.loss.class_weights if lesson.loss.class_weights is not None else np.ones(classes)
    class_weights = tensorflow.constant(weights, tensorflow.float32)
    smoothing = lesson.loss.label_smoothing

    @tensorflow.function(input_signature=_signature(tensorflow, lesson))  # type: ignore[untyped-decorator] # TensorFlow is untyped
    def step(images: Any, labels: Any) -> tuple[Any, Any]:
        truth = tensorflow.one_hot(labels, classes) * (1 - smoothing) + smoothing / classes
        with tensorflow.GradientTape() as tape:
            logits = model(images, training=True)
            losses = tensorflow.nn.softmax_cross_entropy_with_logits(truth, logits)
            loss = tensorflow.reduce_mean(losses * tensorflow.gather(class_weights, labels))
        optimizer.apply(tape.gradient(loss, model.trainable_variables))
        return loss, logits

    def take(images: Array, labels: Labels, rate: float) -> tuple[float, Array]:
        optimizer.learning_rate = rate
        loss, logits = step(images, labels)
        return float(loss), logits.numpy()

    return take


def _compiled_reading(tensorflow: Any, model: Any, lesson: Lesson) -> Callable[[Array], Array]:
    """Return images (n, h, w, 1) -> logits (n, classes), without learning."""

    @tensorflow.function(input_signature=_signature(tensorflow, lesson)[:1])  # type: ignore[untyped-decorator] # the same
    def logits_of(images: Any) -> Any:
        return model(images, training=False)

    def read(images: Array) -> Array:
        parts = [
            logits_of(images[start : start + EVALUATION_BATCH]).numpy()
            for start in range(0, len(images), EVALUATION_BATCH)
        ]
        return np.concatenate(parts)

    return read


def _signature(tensorflow: Any, lesson: Lesson) -> list[Any]:
    # One signature for batches of any length: otherwise the last, smaller one is compiled anew.
    return [
        tensorflow.TensorSpec((None, *lesson.architecture.input_shape), tensorflow.float32),
        tensorflow.TensorSpec((None,), tensorflow.int64),
    ]


def _writable(weights: Weights) -> dict[str, Array]:
    return {name: np.array(array) for name, array in weights.items()}
