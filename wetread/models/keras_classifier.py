"""A model on Keras."""

from __future__ import annotations

import numpy as np

from wetread.imaging.preprocess import Preprocess
from wetread.models.artefact import Artefact
from wetread.models.classifier import READ_BATCH, FloatArray, Readout, checked_images, in_batches
from wetread.models.keras_network import build_keras, build_keras_readout, set_weights
from wetread.models.keras_runtime import import_keras


class KerasClassifier:
    """Reads with TensorFlow; see `wetread.models.classifier.Classifier`.

    Make it in the process that reads: a model made before a fork can hang in the child.
    """

    engine = "keras"
    at_once = READ_BATCH

    def __init__(self, artefact: Artefact, *, threads: int | None = None) -> None:
        tensorflow, _ = import_keras(threads)
        architecture = artefact.card.architecture
        model = build_keras(architecture, seed=0)
        set_weights(model, architecture, artefact.weights)
        readout = build_keras_readout(model)
        self.labels: tuple[str, ...] = artefact.card.labels
        self.digest: str = artefact.digest
        self.preprocess: Preprocess = artefact.card.preprocess
        self._artefact = artefact
        shape = architecture.input_shape
        # A tf.function took half the time of an eager call. It is traced once, for any number of images, and here
        # rather than on the first image of a run.
        self._call = tensorflow.function(
            lambda images: readout(images, training=False),
            input_signature=[tensorflow.TensorSpec((None, *shape), tensorflow.float32)],
        )
        self._call(np.zeros((1, *shape), np.float32))

    def read(self, images: FloatArray) -> Readout:
        """Return the readout of preprocessed `images`, (n, h, w, 1); raise UsageError for another shape."""
        return in_batches(self._read, checked_images(images, self._artefact))

    def _read(self, images: FloatArray) -> tuple[FloatArray, FloatArray]:
        logits, features = self._call(images)
        return logits.numpy(), features.numpy()
