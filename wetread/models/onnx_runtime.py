"""Imports ONNX and its runtime, in one place and only on demand."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from schemas.errors import UsageError
from wetread.installing import install_command

_ERRORS_ALONE = 3
"""The log severity from which ONNX Runtime writes to stderr."""


def import_onnx() -> Any:
    """Return the module `onnx`, which makes graphs; raise UsageError with the cure where it is not installed."""
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise UsageError(
            f"an ONNX graph needs the package onnx, which is not installed: run `{install_command('onnx')}`"
        ) from error
    return onnx


def open_session(graph: bytes, threads: int) -> Any:
    """Return an onnxruntime.InferenceSession of a serialised graph, on the processor, with `threads` threads.

    Idle threads sleep: by default they spin for the next operation, and take a core from the other workers.
    A number is always given, since with its own choice ONNX Runtime ties threads to cores that a container
    may not have. Raises UsageError with the cure where ONNX Runtime is not installed.
    """
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the ONNX engine needs ONNX Runtime, which is not installed: run `{install_command('onnx')}`"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = _ERRORS_ALONE
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def run_within(session: Any, outputs: Sequence[str], inputs: Mapping[str, Any], seconds: float) -> list[Any]:
    """Return what a session gives; where it takes longer it is ended between two nodes, and raises what it likes."""
    import onnxruntime

    options = onnxruntime.RunOptions()
    ending = threading.Timer(seconds, setattr, (options, "terminate", True))
    ending.daemon = True
    ending.start()
    try:
        given: list[Any] = session.run(list(outputs), dict(inputs), options)
    finally:
        ending.cancel()
    return given
