"""Which engines this machine can load, told without loading one: TensorFlow's import takes seconds."""

from __future__ import annotations

from importlib.util import find_spec

from schemas.errors import UsageError
from wetread.models.keras_runtime import CURE as KERAS_CURE
from wetread.models.onnx_runtime import CURE as ONNX_CURE

NEEDS = {
    "numpy": ((), ""),
    "keras": (("tensorflow", "keras"), KERAS_CURE),
    "onnx": (("onnx", "onnxruntime"), ONNX_CURE),
}
"""Of each engine the packages that it needs, and how they are had."""


def check_engine(engine: str) -> None:
    """Raise UsageError, with the cure, where this machine lacks what `engine` needs."""
    packages, cure = NEEDS[engine]
    missing = [package for package in packages if not _is_installed(package)]
    if missing:
        raise UsageError(
            f"--engine {engine} needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not "
            f"installed here: {cure}, or choose another engine"
        )


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):  # what stands in its place cannot be imported
        return False
