"""A lesson: all that an engine needs to train, the same for Keras and for the NumPy engine.

Both start from the same weights (the engine draws them), see the same batches in the same order, take the
same loss and the same schedule, and report the same figures. What differs is who computes, the drawing
of dropout, and rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.architecture import Architecture
from schemas.errors import DataError, UsageError
from trainer.backbones.lite0 import lite0_weights
from trainer.data.pixels import Films
from trainer.training.batches import TrainingBatches, balanced_weights
from trainer.training.checkpoints import Checkpoints
from trainer.training.options import TrainingOptions
from wetread.engine.array import Array, Labels
from wetread.engine.history import History
from wetread.engine.loss import SoftmaxCrossEntropy
from wetread.engine.network import Network
from wetread.imaging.preprocess import Preprocess


@dataclass(frozen=True, slots=True)
class Progress:
    """Where training stands. epoch and batch count from 1; loss and accuracy are means over the epoch so far.

    val_loss, val_accuracy: of the validation films; None before the epoch's end, or without such films.
    """

    epoch: int
    epochs: int
    batch: int
    batches: int
    loss: float
    accuracy: float
    val_loss: float | None = None
    val_accuracy: float | None = None


Report = Callable[[Progress], None]


@dataclass(frozen=True)
class LabelledFilms:
    """Grey levels (n, height, width), class numbers (n,), and how much each film counts, where that differs (n,)."""

    films: Films
    targets: npt.NDArray[np.int64]
    shares: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Trained:
    """What training gave: weights in the artefact's flat mapping, and what was measured on the way.

    best_epoch: the epoch, from 1, whose weights these are.
    """

    weights: dict[str, npt.NDArray[np.float32]]
    history: History
    best_epoch: int


@dataclass(frozen=True)
class Lesson:
    """Everything an engine needs to train: made once, the same for all."""

    architecture: Architecture
    first_weights: dict[str, Array]
    batches: TrainingBatches
    validation: tuple[Array, Labels] | None
    loss: SoftmaxCrossEntropy
    options: TrainingOptions
    report: Report
    checkpoints: Checkpoints | None = None
    shares: npt.NDArray[np.float64] | None = None


def make_lesson(
    architecture: Architecture,
    preprocess: Preprocess,
    training: LabelledFilms,
    validation: LabelledFilms | None,
    options: TrainingOptions,
    report: Report | None = None,
) -> Lesson:
    """Return what `train` gives to an engine; raises DataError as it does."""
    if options.patience is not None and validation is None:
        raise DataError("early stopping needs validation films: set patients aside, or train all epochs")
    classes = network_classes(architecture)
    weights = balanced_weights(training.targets, classes)
    first = Network(architecture, seed=options.seed).weights()
    if options.backbone is not None:
        first |= lite0_weights()
    if training.shares is not None and not options.freeze:
        raise UsageError("expected films that count alike, found weights for them: they need a frozen backbone")
    return Lesson(
        architecture,
        first,
        TrainingBatches(
            training.films, training.targets, preprocess, options.augmentation, options.batch_size, options.seed
        ),
        None if validation is None else (preprocess.scaled(validation.films)[..., np.newaxis], validation.targets),
        SoftmaxCrossEntropy(weights.tolist() if options.class_weights else None, options.label_smoothing),
        options,
        report or (lambda _progress: None),
        shares=training.shares,
    )


def network_classes(architecture: Architecture) -> int:
    """Return the number of logits: the units of the last dense layer."""
    return int([layer for layer in architecture.layers if layer.kind == "dense"][-1].settings["units"])
