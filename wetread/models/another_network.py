"""A network that somebody else has made, as an ONNX file: what of it a model's card says.

The file lies in the model's folder as `network.onnx`, byte for byte as it came, in place of layers and weights of our
own. `wetread.models.onnx_file` has what such a file may hold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.errors import ArtefactError
from wetread.models.strict_json import Kinds, taken

NETWORK_FILE = "network.onnx"
NETWORK_BYTES_LIMIT = 512 * 1024**2
"""Protocol buffers end at 2 GiB, and a worker holds the bytes, what they are parsed to, and ONNX Runtime's own copy."""

LOGITS, SOFTMAX, SIGMOID = "logits", "softmax", "sigmoid"
GIVES = (LOGITS, SOFTMAX, SIGMOID)
CHANNELS = (1, 3)
OUTPUTS_LIMIT = 4096
_LEAST = 1e-7
"""Probabilities are held off 0 and 1 by this much, so that their logarithms are finite."""
_SUM_OFF = 1e-3
"""How far the probabilities of a softmax may be from a sum of 1: halves of precision are off by so much."""

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class AnotherNetwork:
    """What another's network takes and gives.

    height, width: of its input, pixels. channels: 1, or 3 which all have the grey film.
    channels_first: it takes (n, channels, height, width), else (n, height, width, channels).
    means, stds: of each channel; channel c is (x - means[c]) / stds[c] of what preprocessing gives.
    input_name, output_name: in the file. outputs: numbers that it gives a film.
    gives: what they are: `logits` that a softmax is taken of, the probabilities of a `softmax`, or those of a `sigmoid`
        each, of findings that may come together.
    reads: which of the outputs are read, in the order of the labels.
    none_first: the first label is that of a film with none of the findings.
    together: films at most that it takes in one call. parameters: numbers in the file.

    Raises ArtefactError when a value is out of its range.
    """

    height: int
    width: int
    channels: int
    channels_first: bool
    means: tuple[float, ...]
    stds: tuple[float, ...]
    input_name: str
    output_name: str
    outputs: int
    gives: str
    reads: tuple[int, ...]
    none_first: bool
    together: int
    parameters: int

    def __post_init__(self) -> None:
        whole = (self.height, self.width, self.outputs, self.together, *self.reads, self.parameters)
        numbers = (*self.means, *self.stds)
        right = (
            all(type(number) is int for number in whole)
            and all(type(number) is float and math.isfinite(number) for number in numbers)
            and min(self.height, self.width, self.together) >= 1
            and self.channels in CHANNELS
            and len(self.means) == len(self.stds) == self.channels
            and min(self.stds, default=0) > 0
            and 1 <= self.outputs <= OUTPUTS_LIMIT
            and self.gives in GIVES
            and len(set(self.reads)) == len(self.reads) >= 1
            and min(self.reads) >= 0
            and max(self.reads) < self.outputs
        )
        if not right:
            raise ArtefactError(f"another's network: expected values within their ranges, found {self}")
        if self.gives == SOFTMAX and (self.none_first or len(self.reads) != self.outputs):
            raise ArtefactError("another's network: expected a label for each probability of a softmax")

    @property
    def logits(self) -> int:
        """How many labels it tells apart."""
        return len(self.reads) + self.none_first

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form, which stands in a card where an architecture would."""
        own = {name: getattr(self, name) for name in _FIELDS}
        return {"onnx": {name: list(value) if isinstance(value, tuple) else value for name, value in own.items()}}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> AnotherNetwork:
        """Return the record in `body`; raise ArtefactError unless it has exactly this record's keys, well formed."""
        own = taken(taken(body, {"onnx": dict}, "another's network")["onnx"], _FIELDS, "another's network")
        lists = {name: tuple(value) for name, value in own.items() if isinstance(value, list)}
        for name in ("means", "stds"):
            if not all(type(value) in (int, float) for value in lists[name]):
                raise ArtefactError(f"another's network: expected numbers in {name}, found {own[name]}")
            lists[name] = tuple(map(float, lists[name]))
        return cls(**own | lists)

    def input_of(self, images: FloatArray) -> FloatArray:
        """Return what the network takes of preprocessed `images`, (n, height, width, 1)."""
        spread = (images - np.array(self.means, np.float32)) / np.array(self.stds, np.float32)
        return np.ascontiguousarray(spread.transpose(0, 3, 1, 2) if self.channels_first else spread, np.float32)

    def logits_of(self, given: npt.NDArray[Any]) -> FloatArray:
        """Return the logits, (n, labels), of what the network gave, (n, outputs).

        Softmax of them is the network's own where its probabilities are those of a softmax. Of findings that may come
        together it is the probability of each alone, given that at most one of the labels is there: the odds of each,
        those of none being 1. NaN stays NaN. Raises ArtefactError where probabilities are none.
        """
        if given.ndim != 2 or given.shape[1] != self.outputs:
            raise ArtefactError(f"another's network: expected outputs of (n, {self.outputs}), found {given.shape}")
        values = given.astype(np.float64)
        if self.gives != LOGITS:
            _check_probabilities(values, of_softmax=self.gives == SOFTMAX)
        if self.gives == SOFTMAX:
            values = np.log(np.clip(values, _LEAST, 1))
        elif self.gives == SIGMOID:
            held = np.clip(values, _LEAST, 1 - _LEAST)
            values = np.log(held / (1 - held))
        chosen = values[:, list(self.reads)]
        if self.none_first:
            chosen = np.concatenate([np.zeros((len(chosen), 1)), chosen], axis=1)
        return chosen.astype(np.float32)


_FIELDS: Mapping[str, Kinds] = {
    "height": int, "width": int, "channels": int, "channels_first": bool, "means": (list, tuple),
    "stds": (list, tuple), "input_name": str, "output_name": str, "outputs": int, "gives": str,
    "reads": (list, tuple), "none_first": bool, "together": int, "parameters": int,
}  # fmt: skip


def _check_probabilities(values: npt.NDArray[np.float64], *, of_softmax: bool) -> None:
    known = values[np.isfinite(values).all(axis=1)]
    if np.isinf(values).any() or (known < -_SUM_OFF).any() or (known > 1 + _SUM_OFF).any():
        raise ArtefactError(
            f"another's network: expected probabilities from 0 to 1, found {np.nanmin(values):g} to "
            f"{np.nanmax(values):g}; import it again with --gives logits if that is what it gives"
        )
    if of_softmax and len(known) and (np.abs(known.sum(axis=1) - 1) > _SUM_OFF).any():
        raise ArtefactError(
            "another's network: expected probabilities that add up to 1 for each film, found sums of "
            f"{known.sum(axis=1).min():g} to {known.sum(axis=1).max():g}; import it again with --gives sigmoid, if "
            "findings may come together"
        )
