from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from schemas.errors import UsageError
from tests.unit.trainer.test_trainer_checkpoints import OPTIONS, trained
from trainer.training.devices import require_engine, tensorflow_device
from trainer.training.options import TrainingOptions


def tensorflow_with(*devices: str) -> Any:
    """What is asked of TensorFlow, on a machine with these devices."""
    physical = [SimpleNamespace(name=f"/physical_device:{device}") for device in devices]
    return SimpleNamespace(config=SimpleNamespace(list_physical_devices=lambda: physical))


@pytest.mark.parametrize(
    ("device", "name"), [(None, None), ("cpu", "/CPU:0"), ("gpu", "/GPU:0"), ("gpu:1", "/GPU:1"), ("gpu:0", "/GPU:0")]
)
def test_a_device_that_is_there_is_named_as_tensorflow_names_it(device: str | None, name: str | None) -> None:
    assert tensorflow_device(tensorflow_with("CPU:0", "GPU:0", "GPU:1"), device) == name


def test_a_device_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="sees, cpu:0, gpu:0, found gpu:1"):
        tensorflow_device(tensorflow_with("CPU:0", "GPU:0"), "gpu:1")


@pytest.mark.keras
def test_this_machines_tensorflow_is_asked() -> None:
    tensorflow = pytest.importorskip("tensorflow")
    require_engine(TrainingOptions(device="cpu"))
    missing = f"gpu:{len(tensorflow.config.list_physical_devices('GPU'))}"
    with pytest.raises(UsageError, match=rf"sees, .*cpu:0.*, found {missing}"):
        require_engine(TrainingOptions(device=missing))


@pytest.mark.keras
def test_training_on_the_cpu_is_the_same_training() -> None:
    pytest.importorskip("tensorflow")
    options = TrainingOptions(epochs=1, batch_size=16, device="cpu", seed=2)
    first, again = trained(None, options), trained(None, options)
    assert all(np.array_equal(first.weights[name], again.weights[name]) for name in first.weights)
    assert options.to_json()["device"] == "cpu" and OPTIONS.to_json()["device"] is None


@pytest.mark.parametrize("device", ["tpu", "gpu:", "gpu:x", "CPU", ""])
def test_a_device_of_no_kind_is_refused(device: str) -> None:
    with pytest.raises(UsageError, match="expected the device cpu, gpu or gpu:N"):
        TrainingOptions(device=device)


def test_the_numpy_engine_has_the_cpu_alone() -> None:
    assert TrainingOptions(engine="numpy", device="cpu").device == "cpu"
    with pytest.raises(UsageError, match="computes on the cpu, found the device gpu:1: train on keras"):
        TrainingOptions(engine="numpy", device="gpu:1")
