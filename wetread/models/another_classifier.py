"""A model whose network is another's ONNX file, on ONNX Runtime alone."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from schemas.errors import ArtefactError
from wetread.imaging.preprocess import Preprocess
from wetread.models.another_network import AnotherNetwork, FloatArray
from wetread.models.artefact import Artefact
from wetread.models.classifier import Readout, checked_images
from wetread.models.onnx_file import checked_onnx
from wetread.models.onnx_runtime import open_session, run_within

AT_ONCE = 8
"""Films that take at most 2 s each, as `onnx_probe` has seen, are read well within the time of one."""
CALL_SECONDS = 60.0
"""That one call may take; where a film's own limit is shorter, the worker's watchdog ends it before."""


class AnotherSession:
    """A checked file, open: preprocessed films to logits."""

    def __init__(self, network: AnotherNetwork, data: bytes, *, threads: int) -> None:
        self._network = network
        self._session: Any = open_session(data, threads)

    def read(self, images: FloatArray) -> FloatArray:
        """Return the logits, (n, labels), of preprocessed `images`, (n, h, w, 1); raise as `logits_of` does."""
        network = self._network
        taken = {network.input_name: network.input_of(images)}
        (given,) = run_within(self._session, [network.output_name], taken, CALL_SECONDS)
        if len(given) != len(images):
            raise ArtefactError(f"another's network: expected an answer a film, found {len(given)} for {len(images)}")
        return network.logits_of(np.asarray(given))


class AnotherClassifier:
    """Reads with ONNX Runtime on the processor; see `wetread.models.classifier.Classifier`.

    The file passed its checks when it was imported, and passes those of `onnx_file` again here. What its last layer
    takes is not known: the features of its readouts are the logits.
    """

    engine = "onnx"
    at_once = AT_ONCE

    def __init__(self, artefact: Artefact, *, threads: int | None = None) -> None:
        """threads: that one operation may use; None: as many as the process has cores."""
        network = artefact.card.network
        if not isinstance(network, AnotherNetwork):
            raise ArtefactError(f"model {artefact.card.name}: expected another's network, found one of our own")
        checked_onnx(artefact.onnx)
        self.labels: tuple[str, ...] = artefact.card.labels
        self.digest: str = artefact.digest
        self.preprocess: Preprocess = artefact.card.preprocess
        self._artefact, self._together = artefact, network.together
        self._session = AnotherSession(network, artefact.onnx, threads=threads or len(os.sched_getaffinity(0)))

    def read(self, images: FloatArray) -> Readout:
        """Return the readout of preprocessed `images`, (n, h, w, 1); raise UsageError for another shape."""
        films, step = checked_images(images, self._artefact), self._together
        parts = [self._session.read(films[start : start + step]) for start in range(0, len(films), step)]
        logits = np.concatenate([np.zeros((0, len(self.labels)), np.float32), *parts])
        return Readout(logits, logits)
