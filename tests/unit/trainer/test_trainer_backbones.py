"""Weights come out of a checkpoint without anything in it being run, and become the layers that they belong to."""

from __future__ import annotations

import io
import pickle
import struct
from collections import OrderedDict
from importlib.metadata import PackageNotFoundError, files
from typing import Any

import numpy as np
import pytest

from schemas.errors import DataError
from trainer.backbones import checkpoint
from trainer.backbones.lite0 import PACKAGE, lite0, lite0_weights
from wetread.engine.network import Network
from wetread.models.shapes import network_shapes

MAGIC = 0x1950A86A20F9469CFC6C


class _Named:
    """What pickles as the name of a class or function that is not here."""

    def __init__(self, name: str) -> None:
        self.name = name


class _Pickler(pickle._Pickler):
    def save_named(self, named: _Named) -> None:
        module, _, name = named.name.rpartition(".")
        self.write(b"c" + module.encode() + b"\n" + name.encode() + b"\n")

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, _Named):
            self.save_named(obj)
        else:
            super().save(obj, save_persistent_id)

    def persistent_id(self, obj: Any) -> Any:
        return ("storage", *obj[1:]) if isinstance(obj, tuple) and obj[:1] == ("a storage",) else None


class _Tensor:
    def __init__(self, key: str, offset: int, size: tuple[int, ...], stride: tuple[int, ...], count: int) -> None:
        self.parts = (("a storage", _Named("torch.FloatStorage"), key, "cpu", count), offset, size, stride)

    def __reduce_ex__(self, _protocol: object) -> Any:
        return _Rebuild(), (*self.parts, False, OrderedDict())


class _Rebuild(_Named):
    def __init__(self) -> None:
        super().__init__("torch._utils._rebuild_tensor_v2")

    def __call__(self) -> None:
        """Be callable, as a pickle wants it."""


def written(tensors: dict[str, _Tensor], storages: dict[str, np.ndarray]) -> bytes:
    stream = io.BytesIO()
    for part in (MAGIC, 1001, {"little_endian": True}, OrderedDict(tensors), sorted(storages)):
        _Pickler(stream, 2).dump(part)
    for key in sorted(storages):
        stream.write(struct.pack("<q", len(storages[key])) + storages[key].astype("<f4").tobytes())
    return stream.getvalue()


def test_tensors_come_out_in_their_own_order_of_numbers() -> None:
    """A tensor that was transposed before it was saved lies in its storage as it did then."""
    numbers = np.arange(12)
    data = written(
        {"plain": _Tensor("0", 2, (2, 3), (3, 1), 12), "turned": _Tensor("0", 0, (3, 4), (1, 3), 12)}, {"0": numbers}
    )
    found = checkpoint.read_checkpoint(data)
    np.testing.assert_array_equal(found["plain"], numbers[2:8].reshape(2, 3))
    np.testing.assert_array_equal(found["turned"], numbers.reshape(4, 3).T)


def test_a_tensor_beyond_its_storage_and_a_file_cut_short_are_refused() -> None:
    for tensor in (_Tensor("0", 8, (2, 3), (3, 1), 12), _Tensor("0", 0, (2,), (-1,), 12)):
        with pytest.raises(DataError, match="within its storage"):
            checkpoint.read_checkpoint(written({"wild": tensor}, {"0": np.arange(12)}))
    whole = written({"plain": _Tensor("0", 0, (12,), (1,), 12)}, {"0": np.arange(12)})
    for data in (b"", whole[:40], whole[:-4]):
        with pytest.raises(DataError, match="fetch the file again"):
            checkpoint.read_checkpoint(data)


def test_nothing_in_a_checkpoint_is_run(tmp_path: Any) -> None:
    mark = tmp_path / "run"

    class Hostile:
        def __reduce__(self) -> Any:
            return open, (str(mark), "w")

    with pytest.raises(DataError, match=r"it names (io|_io)\.open"):
        checkpoint.read_checkpoint(pickle.dumps(Hostile(), 2))
    assert not mark.exists()


def test_another_file_is_not_taken_for_lite0() -> None:
    with pytest.raises(DataError, match="SHA-256"):
        lite0_weights(b"other")


def test_the_network_has_the_features_of_three_depths() -> None:
    shapes = network_shapes(lite0(3))
    assert shapes.features == (40 + 80 + 112,)
    assert shapes.outputs["block10_sum"] == (14, 14, 112)
    assert network_shapes(lite0(3, size=96)).outputs["block10_sum"] == (6, 6, 112)


def test_the_weights_of_the_package_are_all_of_the_network_but_its_last_layer() -> None:
    try:
        files(PACKAGE)
    except PackageNotFoundError:
        pytest.skip(f"{PACKAGE} is not installed")
    weights, wanted = lite0_weights(), network_shapes(lite0(2, size=64)).weights
    assert {name: array.shape for name, array in weights.items()} == {
        name: shape for name, shape in wanted.items() if not name.startswith("logits/")
    }
    network = Network(lite0(2, size=64))
    network.load(network.weights() | weights)
    spread = network.outputs(np.random.default_rng(0).normal(size=(2, 64, 64, 1)).astype(np.float32))["features"]
    assert 0.05 < float(np.abs(spread).mean()) < 20, "weights that lie wrongly give features that vanish or explode"
