"""A model on ONNX Runtime."""

from __future__ import annotations

import os
from typing import Any

from wetread.imaging.preprocess import Preprocess
from wetread.models.artefact import Artefact
from wetread.models.classifier import READ_BATCH, FloatArray, Readout, checked_images, in_batches
from wetread.models.onnx_graph import FEATURES_NAME, INPUT_NAME, LOGITS_NAME, build_onnx
from wetread.models.onnx_runtime import open_session


class OnnxClassifier:
    """Reads with ONNX Runtime on the processor; see `wetread.models.classifier.Classifier`.

    The graph is made in memory from an artefact that passed its checks; no ONNX file is ever read.
    """

    engine = "onnx"
    at_once = READ_BATCH

    def __init__(self, artefact: Artefact, *, threads: int | None = None) -> None:
        """threads: that one operation may use; None: as many as the process has cores."""
        graph = build_onnx(artefact.card.architecture, artefact.weights)
        self.labels: tuple[str, ...] = artefact.card.labels
        self.digest: str = artefact.digest
        self.preprocess: Preprocess = artefact.card.preprocess
        self._artefact = artefact
        self._session: Any = open_session(graph.SerializeToString(), threads or len(os.sched_getaffinity(0)))

    def read(self, images: FloatArray) -> Readout:
        """Return the readout of preprocessed `images`, (n, h, w, 1); raise UsageError for another shape."""
        return in_batches(self._read, checked_images(images, self._artefact))

    def _read(self, images: FloatArray) -> tuple[FloatArray, FloatArray]:
        logits, features = self._session.run([LOGITS_NAME, FEATURES_NAME], {INPUT_NAME: images})
        return logits, features
