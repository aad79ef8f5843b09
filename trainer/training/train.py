"""Trains a network on Keras or on the NumPy engine, as a lesson says."""

from __future__ import annotations

from dataclasses import replace

from schemas.architecture import Architecture
from trainer.training.checkpoints import Checkpoints, films_digest
from trainer.training.frozen_training import fit_head
from trainer.training.lesson import LabelledFilms, Lesson, Report, Trained, make_lesson
from trainer.training.libraries import library_versions
from trainer.training.options import TrainingOptions
from wetread.imaging.preprocess import Preprocess


def train(
    architecture: Architecture,
    preprocess: Preprocess,
    training: LabelledFilms,
    validation: LabelledFilms | None,
    options: TrainingOptions,
    report: Report | None = None,
    checkpoint: bytes | None = None,
) -> Trained:
    """Train a network of `architecture` and return its weights.

    validation: films of other patients, read after each epoch; needed to stop early.
    report: called after every batch, and after every epoch with the validation figures.
    checkpoint: a folder where all that the training needs to go on is kept after each epoch; the same call goes on
        from there, on the NumPy engine to the same bits. It stays there: whoever has stored the weights removes it
        with `trainer.training.checkpoints.remove_checkpoint`.
    Raises DataError when a label has no training film, when there is nothing to stop early by, or when the
    loss is no longer a number; UsageError where TensorFlow is asked for and not installed, and when the
    folder holds the checkpoint of another training.
    """
    lesson = make_lesson(architecture, preprocess, training, validation, options, report)
    if checkpoint is not None:
        sides = {"training films": training, "validation films": validation}
        setting = {
            "architecture": architecture.to_json(),
            "preprocessing": preprocess.to_json(),
            **options.to_json(),
            "libraries": library_versions(),
            **{name: side and films_digest(side.films, side.targets) for name, side in sides.items()},
        }
        lesson = replace(lesson, checkpoints=Checkpoints(checkpoint, setting))
    return fit(lesson)


def fit(lesson: Lesson) -> Trained:
    """Train as `lesson` says; raises as `train` does."""
    if lesson.options.freeze:
        return fit_head(lesson)
    if lesson.options.engine == "numpy":
        from trainer.training.numpy_training import fit_numpy

        return fit_numpy(lesson)
    from trainer.training.keras_training import fit_keras

    return fit_keras(lesson)
