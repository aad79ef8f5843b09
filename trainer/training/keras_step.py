"""The training step and the reading of a Keras model, each compiled once by TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trainer.training.lesson import Lesson
from wetread.engine.array import Array, Labels
from wetread.engine.optimizers.build import OPTIMIZERS

EVALUATION_BATCH = 64
"""Films that go through the network together where nothing is learnt."""

Step = Callable[[Array, Labels, float], tuple[float, Array]]
"""Images, labels, learning rate -> the batch's loss and logits, from before the step."""


def make_keras_optimizer(keras: Any, model: Any, lesson: Lesson) -> Any:
    """Return the lesson's optimizer with a variable for all that it will remember of the model's weights."""
    options = lesson.options
    optimizer = getattr(keras.optimizers, OPTIMIZERS[options.optimizer].__name__)(**options.optimizer_settings)
    optimizer.build(model.trainable_variables)
    return optimizer


def compiled_step(tensorflow: Any, model: Any, optimizer: Any, lesson: Lesson) -> Step:
    """Return one step of training as a compiled function; the loss is `wetread.engine.loss`'s."""
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


def compiled_reading(tensorflow: Any, model: Any, lesson: Lesson) -> Callable[[Array], Array]:
    """Return images (n, h, w, c) -> logits (n, classes), without learning."""

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
    # One signature for batches of any length: otherwise each length is compiled anew.
    return [
        tensorflow.TensorSpec((None, *lesson.architecture.input_shape), tensorflow.float32),
        tensorflow.TensorSpec((None,), tensorflow.int64),
    ]
