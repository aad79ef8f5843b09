"""Handles an engine that raises: tries image by image, else asks for the run to be paused; no film is blamed."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import structlog

from schemas.errors import ArtefactError, EngineFault, WetreadError
from wetread.models.artefact import Artefact
from wetread.models.classifier import Classifier, FloatArray, Readout
from wetread.models.loading import load_classifier
from worker.failpoints import reach

SAID = 200
"""Characters that are kept of what an engine says; TensorFlow's messages go on for pages."""


def loaded(artefact: Artefact, engine: str) -> Classifier:
    """Return the model on `engine`, on one thread: processes, not threads, use the cores.

    Raises EngineFault where the engine raises as it loads it, as TensorFlow may on some processors.
    """
    try:
        return load_classifier(artefact, engine, threads=1)
    except (MemoryError, WetreadError):
        raise
    except Exception as error:
        raise _fault(engine, f"load the model {artefact.card.name}", error) from error


def read_in_pieces(classifier: Classifier, images: FloatArray, progress: Callable[[], None]) -> Readout:
    """Return the readout of preprocessed `images` as `read_patiently` does; `progress` is called after each piece."""
    parts = []
    for start in range(0, len(images), classifier.at_once):
        parts.append(read_patiently(classifier, images[start : start + classifier.at_once]))
        progress()
    return Readout(np.concatenate([one.logits for one in parts]), np.concatenate([one.features for one in parts]))


@contextmanager
def usable_answers(classifier: Classifier) -> Iterator[None]:
    """Raise EngineFault where a network answers what cannot be used: its model is whole, and no film is blamed.

    What somebody else's network gives of four drawn pictures is looked at as it is imported; of a film it may give
    something else. As an error of the model it would end every run of it, and those that it rides on.
    """
    try:
        yield
    except ArtefactError as error:
        raise EngineFault(f"expected usable answers of the network on {classifier.engine}, found: {error}") from error


def read_patiently(classifier: Classifier, images: FloatArray) -> Readout:
    """Return the readout of preprocessed `images`, (n, h, w, 1), read image by image where the engine raises.

    TensorFlow aborts on the shapes of some batches, and lacks memory for some; one image is another shape, and less.
    Raises EngineFault when it raises then too. What wetread raises itself is passed on, and so is a MemoryError.
    """
    try:
        return _read(classifier, images)
    except (MemoryError, WetreadError):
        raise
    except Exception as error:  # noqa: BLE001 - an engine is another's code, and raises what it likes
        log = structlog.get_logger()
        log.warning("the engine raised; its images are read one at a time", engine=classifier.engine, why=_said(error))
    try:
        parts = [_read(classifier, images[place : place + 1]) for place in range(len(images))]
    except (MemoryError, WetreadError):
        raise
    except Exception as error:
        raise _fault(classifier.engine, "read films", error) from error
    return Readout(np.concatenate([one.logits for one in parts]), np.concatenate([one.features for one in parts]))


def _fault(engine: str, to_do: str, error: Exception) -> EngineFault:
    other = "keras" if engine == "numpy" else "numpy"
    return EngineFault(
        f"expected the engine {engine} to {to_do}, found that it raises on {socket.gethostname()}: {_said(error)}. "
        f"No film is blamed. The same command goes on once that is mended; with --engine {other} it goes on with the "
        "same run by another engine"
    )


def _read(classifier: Classifier, images: FloatArray) -> Readout:
    reach("network", str(len(images)))
    return classifier.read(images)


def _said(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:SAID]}{'…' if len(text) > SAID else ''}"
