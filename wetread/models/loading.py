"""Loads a model on an engine.

Each engine's module is imported only when it is asked for: a worker that serves with the NumPy engine
never imports TensorFlow or ONNX.
"""

from __future__ import annotations

from schemas.errors import UsageError
from schemas.predictions import ENGINES
from wetread.models.another_network import AnotherNetwork
from wetread.models.artefact import Artefact
from wetread.models.classifier import Classifier


def load_classifier(artefact: Artefact, engine: str, *, threads: int | None = None) -> Classifier:
    """Return the model on `engine`, one of `schemas.predictions.ENGINES`.

    threads: for Keras, see `keras_runtime.import_keras`, and for ONNX `onnx_runtime.open_session`; NumPy's are
    set by the process before it starts.
    Another's ONNX file is read by ONNX Runtime alone.
    Raises UsageError for an unknown engine, or with the cure where the engine's extra is not installed.
    """
    if engine == "numpy":
        from wetread.models.numpy_classifier import NumpyClassifier

        return NumpyClassifier(artefact)
    if engine == "keras":
        from wetread.models.keras_classifier import KerasClassifier

        return KerasClassifier(artefact, threads=threads)
    if engine == "onnx":
        if isinstance(artefact.card.network, AnotherNetwork):
            from wetread.models.another_classifier import AnotherClassifier

            return AnotherClassifier(artefact, threads=threads)
        from wetread.models.onnx_classifier import OnnxClassifier

        return OnnxClassifier(artefact, threads=threads)
    raise UsageError(f"expected an engine among {', '.join(ENGINES)}, found {engine!r}")


def check_reads(artefact: Artefact, engine: str) -> None:
    """Raise UsageError, with the cure, where `engine` cannot read with this model, whatever is installed."""
    if engine != "onnx" and isinstance(artefact.card.network, AnotherNetwork):
        _ = artefact.card.architecture
