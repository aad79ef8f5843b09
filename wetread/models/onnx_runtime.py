"""ONNX and its runtime, imported in one place and only where they are asked for."""

from __future__ import annotations

from typing import Any

from schemas.errors import UsageError

CURE = "run `make onnx`"


def import_onnx() -> Any:
    """Return the module `onnx`, which makes graphs; raise UsageError with the cure where it is not installed."""
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise UsageError(f"an ONNX graph needs the package onnx, which is not installed: {CURE}") from error
    return onnx


def import_onnxruntime() -> Any:
    """Return the module `onnxruntime`; raise UsageError with the cure where it is not installed."""
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise UsageError(f"the ONNX engine needs ONNX Runtime, which is not installed: {CURE}") from error
    return onnxruntime
