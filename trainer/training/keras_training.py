"""Training on Keras: the engine's loop, with TensorFlow computing each step.

A loop of our own instead of `Model.fit`, so that batches, loss, schedule, averaging, early stopping and
figures are the engine's, to the letter.
"""

from __future__ import annotations

from trainer.training.devices import tensorflow_device
from trainer.training.epochs import fit_epochs
from trainer.training.keras_learner import KerasLearner
from trainer.training.keras_step import compiled_reading, compiled_step, make_keras_optimizer
from trainer.training.lesson import Lesson, Trained
from wetread.models.keras_network import build_keras, set_weights
from wetread.models.keras_runtime import import_keras


def fit_keras(lesson: Lesson) -> Trained:
    """Train as `lesson` says; raises as `trainer.training.train.train` does."""
    options = lesson.options
    tensorflow, keras = import_keras(options.threads)
    # One seed gives one model: without it, threads add gradients up in any order.
    tensorflow.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(options.seed)
    with tensorflow.device(tensorflow_device(tensorflow, options.device)):
        model = build_keras(lesson.architecture, seed=options.seed)
        set_weights(model, lesson.architecture, lesson.first_weights)
        optimizer = make_keras_optimizer(keras, model, lesson)
        step = compiled_step(tensorflow, model, optimizer, lesson)
        read = compiled_reading(tensorflow, model, lesson)
        return fit_epochs(lesson, KerasLearner(lesson, model, optimizer, step, read))
