"""Trains the last layer alone, on the features of a frozen backbone.

Each film goes through the backbone once as it is, and once mirrored where the lesson mirrors films. What is left is a
multinomial logistic regression: one minimum, the same whatever the seed, and no epochs. ONNX Runtime computes the
features where it is installed, four times as fast as the engine and within 1e-5 of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from schemas.errors import UsageError
from trainer.data.pixels import Films
from trainer.statistics.softmax_logistic import fit_softmax
from trainer.training.lesson import Lesson, Progress, Trained
from wetread.engine.array import Array, Labels
from wetread.engine.history import History
from wetread.engine.serving import ServingNetwork
from wetread.imaging.preprocess import Preprocess
from wetread.models.onnx_graph import FEATURES_NAME, INPUT_NAME, build_onnx
from wetread.models.onnx_runtime import open_session

RIDGE = 0.01
"""Chosen by folds of patients of ../shared/data/lungs, of 0.003, 0.01 and 0.03, which differ little: decision 25."""
_AT_A_TIME = 32


def fit_head(lesson: Lesson) -> Trained:
    """Return the lesson's first weights, its last layer, which is dense, learned anew on all training films.

    Features are brought to one mean and spread for the regression, and the layer takes that in. Raises DataError where
    a label has no film.
    """
    started = time.perf_counter()
    batches, last = lesson.batches, lesson.architecture.layers[-1].name
    features_of = _backbone(lesson)
    targets = batches.targets
    features = _features(features_of, batches.films, batches.preprocess)
    shares = np.ones(len(targets)) if lesson.shares is None else lesson.shares
    if lesson.options.class_weights and lesson.shares is None:
        shares = 1 / np.bincount(targets)[targets]
    if batches.augmentation.flip:
        features = np.concatenate([features, _features(features_of, batches.films[:, :, ::-1], batches.preprocess)])
        targets, shares = np.tile(targets, 2), np.tile(shares, 2)
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    weights, biases = fit_softmax((features - mean) / spread, targets, shares / shares.sum(), RIDGE)
    kernel = weights / spread[:, None]
    learned = dict(lesson.first_weights) | {
        f"{last}/kernel": kernel.astype(np.float32),
        f"{last}/bias": (biases - mean @ kernel).astype(np.float32),
    }
    loss, accuracy = _figures(features @ kernel + learned[f"{last}/bias"], targets)
    history = History([loss], [accuracy], seconds=[time.perf_counter() - started])
    progress = Progress(1, 1, 1, 1, loss, accuracy)
    if lesson.validation is not None:
        images, wanted = lesson.validation
        seen = [features_of(images[start : start + _AT_A_TIME]) for start in range(0, len(images), _AT_A_TIME)]
        val_loss, val_accuracy = _figures(np.concatenate(seen) @ kernel + learned[f"{last}/bias"], wanted)
        history = History([loss], [accuracy], [val_loss], [val_accuracy], history.seconds)
        progress = replace(progress, val_loss=val_loss, val_accuracy=val_accuracy)
    lesson.report(progress)
    return Trained(learned, history, best_epoch=1)


def _backbone(lesson: Lesson) -> Callable[[Array], Array]:
    """Return what gives the features of images (n, h, w, 1) by the lesson's first weights."""
    try:
        graph = build_onnx(lesson.architecture, lesson.first_weights).SerializeToString()
        session = open_session(graph, lesson.options.threads or 1)
    except UsageError:  # ONNX Runtime is not installed
        network = ServingNetwork(lesson.architecture, lesson.first_weights)
        return lambda images: network.readout(images)[1]
    return lambda images: np.asarray(session.run([FEATURES_NAME], {INPUT_NAME: images})[0])


def _features(features_of: Callable[[Array], Array], films: Films, preprocess: Preprocess) -> npt.NDArray[np.float64]:
    """Return what the last layer reads of each film, (n, f)."""
    parts = [
        features_of(preprocess.scaled(films[start : start + _AT_A_TIME])[..., np.newaxis])
        for start in range(0, len(films), _AT_A_TIME)
    ]
    return np.concatenate(parts).astype(np.float64)


def _figures(logits: Array, targets: Labels) -> tuple[float, float]:
    """Return the mean cross-entropy and the accuracy."""
    odds = logits - logits.max(axis=1, keepdims=True)
    logs = odds - np.log(np.exp(odds).sum(axis=1, keepdims=True))
    return float(-logs[np.arange(len(targets)), targets].mean()), float((logits.argmax(axis=1) == targets).mean())
