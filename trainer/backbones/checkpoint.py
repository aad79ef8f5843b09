"""Reads weights from a PyTorch checkpoint, without PyTorch and without running code from it.

A checkpoint of PyTorch before 1.6 is five pickles, one after another (a magic number, a version, the machine, the
tensors by name, the storages' keys), and then each storage: its count of numbers as int64, and the numbers. The
unpickler here makes ordered dictionaries and descriptions of tensors, and refuses every other name.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.errors import DataError

_MAGIC = 0x1950A86A20F9469CFC6C
_NUMBERS: Mapping[str, np.dtype[Any]] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


def read_checkpoint(data: bytes) -> Mapping[str, npt.NDArray[Any]]:
    """Return name -> array of the tensors in a checkpoint; raise DataError for any other file."""
    try:
        return _tensors(data)
    except (pickle.UnpicklingError, ValueError, KeyError, TypeError, IndexError, EOFError, AttributeError) as error:
        raise DataError(
            f"expected a checkpoint of PyTorch with tensors alone, found a fault: {error}; fetch the file again"
        ) from error


def _tensors(data: bytes) -> dict[str, npt.NDArray[Any]]:
    stream = io.BytesIO(data)
    magic, _version, _machine, described, keys = (_Tensors(stream).load() for _ in range(5))
    if magic != _MAGIC:
        raise ValueError(f"the magic number is {magic!r}")
    kinds: dict[str, np.dtype[Any]] = {storage[2]: _NUMBERS[storage[1]] for storage, _, _, _ in described.values()}
    at = stream.tell()
    storages = {}
    for key in keys:
        count = int(np.frombuffer(data, "<i8", 1, at)[0])
        storages[key] = np.frombuffer(data, kinds[key], count, at + 8)
        at += 8 + count * kinds[key].itemsize
    found = {}
    for name, (storage, offset, size, stride) in described.items():
        numbers = storages[storage[2]][offset:]
        last = sum((side - 1) * step for side, step in zip(size, stride, strict=True))
        if min((offset, *stride), default=0) < 0 or last >= len(numbers):
            raise ValueError(f"{name} does not lie within its storage")
        steps = [step * numbers.itemsize for step in stride]
        found[str(name)] = np.ascontiguousarray(np.lib.stride_tricks.as_strided(numbers, size, steps, writeable=False))
    return found


class _Tensors(pickle.Unpickler):
    """Reads a pickle of tensors as (storage, offset, size, stride) each."""

    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in for one of the names that a pickle of tensors has."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *_: (storage, offset, size, stride)
        if module == "torch" and name in _NUMBERS:
            return name
        raise pickle.UnpicklingError(f"it names {module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        """Return the description of a storage, ("storage", kind, key, place, count)."""
        return pid
