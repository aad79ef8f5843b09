"""Where Keras trains: the processor or a graphics card."""

from __future__ import annotations

from typing import Any

from schemas.errors import UsageError
from trainer.training.options import TrainingOptions
from wetread.models.keras_runtime import import_keras


def require_engine(options: TrainingOptions) -> None:
    """Raise UsageError unless TensorFlow and the device are there, where `options` need them; before films are read."""
    if options.engine == "keras":
        tensorflow, _ = import_keras(options.threads)
        tensorflow_device(tensorflow, options.device)


def tensorflow_device(tensorflow: Any, device: str | None) -> str | None:
    """Return TensorFlow's name of "cpu" or "gpu[:N]"; None leaves the choice to TensorFlow.

    Raises UsageError, with the devices that TensorFlow sees, when it is none of them.
    """
    if device is None:
        return None
    kind, _, number = device.partition(":")
    seen = [_short(each.name) for each in tensorflow.config.list_physical_devices()]
    if f"{kind}:{number or 0}" not in seen:
        raise UsageError(
            f"expected a device that TensorFlow sees, {', '.join(seen)}, found {device}; a gpu needs its driver and "
            "TensorFlow's GPU libraries"
        )
    return f"/{kind.upper()}:{number or 0}"


def _short(name: str) -> str:
    return name.removeprefix("/physical_device:").lower()
