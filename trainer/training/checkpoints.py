"""Checkpoints of a training in a folder, from which it continues after a kill.

One safetensors file holds the arrays and, as JSON, the record and the setting: reading it runs nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError, safe_open

from schemas.errors import UsageError
from trainer.data.pixels import Films
from trainer.training.resuming import UNFINISHED, as_json, replace_file, require_same
from wetread.engine.checkpoint import Checkpoint
from wetread.path_text import path_text

FILE = b"checkpoint.safetensors"


class Checkpoints:
    """The last checkpoint of one training, in a file that is replaced as a whole.

    setting: all that decides the training, as JSON can hold it. A folder with a checkpoint of another setting
    raises UsageError, as does a file that is no checkpoint.
    """

    def __init__(self, folder: bytes, setting: Mapping[str, Any]) -> None:
        self._path = os.path.join(folder, FILE)
        self._setting = as_json(setting)
        self.last = _read(self._path, self._setting)

    def keep(self, checkpoint: Checkpoint) -> None:
        """Keep `checkpoint` instead of the one before it."""
        # Order C, which safetensors takes for granted; ascontiguousarray would give a number a dimension.
        arrays = {name: np.array(array, order="C") for name, array in checkpoint.arrays.items()}
        body = {"setting": json.dumps(self._setting), "record": json.dumps(checkpoint.record)}
        replace_file(self._path, safetensors.numpy.save(arrays, metadata=body))
        self.last = checkpoint


def epochs_kept(folder: bytes) -> int:
    """Return how many epochs the checkpoint in `folder` has behind it, 0 without one; raises as `Checkpoints`."""
    last = _read(os.path.join(folder, FILE), None)
    return 0 if last is None else len(last.record["history"]["loss"])


def remove_checkpoint(folder: bytes) -> None:
    """Remove the checkpoint in `folder`, and the folder when nothing else is in it."""
    for name in (FILE, FILE + UNFINISHED):
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, name))
    with suppress(OSError):
        os.rmdir(folder)


def films_digest(films: Films, targets: npt.NDArray[np.int64]) -> str:
    """Return the digest of films (n, height, width), as the network is given them, and of their labels (n,)."""
    digest = hashlib.sha256(repr(films.shape).encode())
    digest.update(films.tobytes())
    digest.update(targets.tobytes())
    return digest.hexdigest()


def _read(path: bytes, setting: Mapping[str, Any] | None) -> Checkpoint | None:
    """Return the checkpoint in the file, or None without one; its setting must be `setting`, where that is given."""
    if not os.path.exists(path):
        return None
    try:
        with safe_open(os.fsdecode(path), framework="numpy") as file:
            body = file.metadata() or {}
            kept, record = dict(json.loads(body["setting"])), dict(json.loads(body["record"]))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path_text(path)}: expected a checkpoint of this program, found a fault: {error}; remove it to begin anew"
        ) from error
    if setting is not None:
        require_same(path, "the checkpoint of a training", kept, setting)
    return Checkpoint(arrays, record)
