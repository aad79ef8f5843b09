"""Tells which engines this machine can load, without loading one: TensorFlow's import takes seconds."""

from __future__ import annotations

from importlib.util import find_spec

from schemas.errors import UsageError
from wetread.installing import install_command

NEEDS = {"numpy": (), "keras": ("tensorflow", "keras"), "onnx": ("onnx", "onnxruntime")}
"""Of each engine the packages that it needs; the extra of its name has them."""


def check_engine(engine: str) -> None:
    """Raise UsageError, with the cure, where this machine lacks what `engine` needs."""
    missing = [package for package in NEEDS[engine] if not _is_installed(package)]
    if missing:
        raise UsageError(
            f"--engine {engine} needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not "
            f"installed here: run `{install_command(engine)}`, or choose another engine"
        )


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):  # what stands in its place cannot be imported
        return False
