"""The segmenter that finds the lungs: a file of layers and weights, and what reads a film with it.

The file is safetensors, its layers as canonical JSON among its metadata, so that one SHA-256 covers both. A model's
folder has it as `lung_field.safetensors`, held to the digest in the model's preprocessing record. It is read on the
project's own engine whichever engine reads the film: all of them see the same lungs.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from schemas.architecture import Architecture
from schemas.errors import ArtefactError
from wetread.engine.array import Array
from wetread.engine.serving import ServingNetwork
from wetread.imaging.equalisation import GreyLevels
from wetread.imaging.lung_field import LungField
from wetread.models.digest import sha256_hex
from wetread.models.shapes import network_shapes
from wetread.models.strict_json import canonical, parse
from wetread.models.weights import Weights, checked_weights

FIELD_FILE = "lung_field.safetensors"
FIELD_BYTES_LIMIT = 16 * 1024 * 1024

_LAYERS = "architecture"


class FieldFinder:
    """A segmenter, ready to read; (side, side) grey levels to the probability of lung a pixel.

    It can be pickled, and builds its network in the process and at the time that first reads.
    """

    def __init__(self, architecture: Architecture, weights: Weights) -> None:
        shapes = network_shapes(architecture, ends_in_map=True)
        height, width, _ = architecture.input_shape
        if architecture.input_shape != (height, height, 1) or shapes.logits != (height, width, 1):
            raise ArtefactError(
                "lung field: expected a segmenter from (side, side, 1) to (side, side, 1), found "
                f"{architecture.input_shape} to {shapes.logits}"
            )
        self.architecture = architecture
        self.weights: Mapping[str, Array] = dict(checked_weights(architecture, weights, ends_in_map=True))
        self._network: ServingNetwork | None = None
        self._one_at_a_time = threading.Lock()

    @property
    def side(self) -> int:
        """Pixels of the square that it reads."""
        return self.architecture.input_shape[0]

    def __call__(self, levels: GreyLevels) -> npt.NDArray[np.float32]:
        """Return the probability of lung a pixel, (side, side), of grey levels (side, side)."""
        with self._one_at_a_time:
            if self._network is None:
                self._network = ServingNetwork(self.architecture, self.weights)
            logits = self._network.logits(segmenter_input(levels[np.newaxis]))[0, :, :, 0]
        return np.asarray(1 / (1 + np.exp(-logits.clip(-30, 30))), np.float32)

    def __reduce__(self) -> tuple[type[FieldFinder], tuple[Architecture, Mapping[str, Array]]]:
        """Return how it is made again, its checks included."""
        return FieldFinder, (self.architecture, self.weights)


def segmenter_input(levels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return the segmenter's input of grey levels (n, side, side): float32 (n, side, side, 1), about 0."""
    return np.asarray(levels, np.float32)[..., np.newaxis] / np.float32(255) - np.float32(0.5)


def encode_field(architecture: Architecture, weights: Weights) -> bytes:
    """Return the bytes of a segmenter's file; equal segmenters give equal bytes."""
    checked = checked_weights(architecture, weights, ends_in_map=True)
    arrays = {name: np.ascontiguousarray(array) for name, array in sorted(checked.items())}
    return safetensors.numpy.save(arrays, {_LAYERS: canonical(architecture.to_json()).decode()})


def decode_field(data: bytes) -> LungField:
    """Return the record of the segmenter in the bytes of its file, with the segmenter loaded.

    Raises ArtefactError where they are no such file.
    """
    try:
        weights = safetensors.numpy.load(data)
        length = int.from_bytes(data[:8], "little")
        described = json.loads(data[8 : 8 + length])["__metadata__"][_LAYERS]
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ArtefactError(
            f"{FIELD_FILE}: expected a segmenter that 'wetread train-field' wrote, found a fault: {error}"
        ) from error
    finder = FieldFinder(Architecture.from_json(parse(str(described).encode(), FIELD_FILE)), weights)
    return LungField(finder.side, sha256_hex(data), finder)
