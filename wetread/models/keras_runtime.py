"""TensorFlow and Keras, imported once, quietly, and with a known number of threads."""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from schemas.errors import UsageError
from wetread.installing import install_command

_CHATTER = re.compile(rb"WARNING: All log messages before absl::|I0000 |.*: I (tensorflow|external)/")
"""What TensorFlow's libraries say on every import, before they have read TF_CPP_MIN_LOG_LEVEL."""

_log = logging.getLogger(__name__)


def import_keras(threads: int | None = None) -> tuple[Any, Any]:
    """Return the modules (tensorflow, keras).

    threads: that one operation may use, and operations that may run side by side; None leaves both as they
    are, at first one a core. It holds for the process and can only be set before TensorFlow first computes.
    Raises UsageError with the cure where TensorFlow is not installed.
    """
    # Keras reads its backend and TensorFlow its log level when they are first imported, never later. Keras
    # may be set to another backend in the user's home; weights and figures here are TensorFlow's.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with _without_chatter():
            import keras
            import tensorflow
    except ModuleNotFoundError as error:
        cure = install_command("keras")
        raise UsageError(f"the Keras engine needs TensorFlow, which is not installed: run `{cure}`") from error
    # A study builds a network a training: that each is compiled anew is meant, and no "retracing" to warn of.
    tensorflow.get_logger().setLevel(logging.ERROR)
    if keras.backend.backend() != "tensorflow":
        raise UsageError(f"expected Keras on TensorFlow, found {keras.backend.backend()}; unset KERAS_BACKEND")
    if threads is not None:
        _set_threads(tensorflow, threads)
    return tensorflow, keras


def _set_threads(tensorflow: Any, threads: int) -> None:
    threading = tensorflow.config.threading
    if threads == threading.get_intra_op_parallelism_threads() == threading.get_inter_op_parallelism_threads():
        return
    try:
        threading.set_intra_op_parallelism_threads(threads)
        threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError:
        _log.warning("TensorFlow has started; its threads stay as they are, not %d", threads)


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Hold back what C++ writes to stderr meanwhile, and pass on afterwards what is not TensorFlow's greeting."""
    if "tensorflow" in sys.modules:
        yield
        return
    sys.stderr.flush()
    real = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(real, 2)
            os.close(real)
            held.seek(0)
            for line in held:
                if not _CHATTER.match(line):
                    os.write(2, line)
