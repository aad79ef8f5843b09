"""A model on the project's own NumPy engine."""

from __future__ import annotations

from wetread.engine.serving import ServingNetwork
from wetread.imaging.preprocess import Preprocess
from wetread.models.artefact import Artefact
from wetread.models.classifier import READ_BATCH, FloatArray, Readout, checked_images, in_batches


class NumpyClassifier:
    """Reads with wetread.engine; see `wetread.models.classifier.Classifier`."""

    engine = "numpy"
    at_once = READ_BATCH

    def __init__(self, artefact: Artefact) -> None:
        self.labels: tuple[str, ...] = artefact.card.labels
        self.digest: str = artefact.digest
        self.preprocess: Preprocess = artefact.card.preprocess
        self._artefact = artefact
        self._network = ServingNetwork(artefact.card.architecture, artefact.weights)

    def read(self, images: FloatArray) -> Readout:
        """Return the readout of preprocessed `images`, (n, h, w, 1); raise UsageError for another shape."""
        return in_batches(self._network.readout, checked_images(images, self._artefact))
