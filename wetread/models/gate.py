"""The input gate: tells whether a picture is laid out as an upright frontal chest film.

A network gives one of its labels to a photograph too. The gate looks at a thumbnail of the network's input, a
dozen cells a side, of which only the pattern counts, not its brightness or contrast: dark lungs on either side
of a bright middle, shoulders above and belly below. A linear score of it says how far the picture is from
films. It reads nothing of the network, so every engine gives the same score; docs/decisions has why.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.errors import ArtefactError, UsageError
from wetread.models.strict_json import Kinds, taken

GATE_KIND = "layout"
_SIDE_LIMIT = 64

Thumbnails = npt.NDArray[np.float64]
"""Patterns of n pictures, (n, side * side), row by row from the top left."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A linear score of a picture's pattern, and what is too much of it.

    side: cells of the thumbnail's side. floor: added to its deviation, in units of the network's input, so that
        a flat picture's noise is no pattern.
    weights: of the cells, side * side. bias: added. threshold: a picture with a higher score is no film.

    Raises ArtefactError when a value is out of its range.
    """

    side: int
    floor: float
    weights: tuple[float, ...]
    bias: float
    threshold: float

    def __post_init__(self) -> None:
        if not 2 <= self.side <= _SIDE_LIMIT or len(self.weights) != self.side**2:
            raise ArtefactError(
                f"gate: expected a side from 2 to {_SIDE_LIMIT} and a weight a cell, found {self.side} and "
                f"{len(self.weights)}; fetch the model again"
            )
        if not all(math.isfinite(value) for value in (self.floor, self.bias, self.threshold, *self.weights)):
            raise ArtefactError("gate: expected finite numbers, found others; fetch the model again")
        if self.floor <= 0:
            raise ArtefactError(f"gate: expected a floor above 0, found {self.floor}; fetch the model again")

    def score(self, images: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
        """Return (n,) scores of preprocessed `images`, (n, h, w, 1), as the network takes them; higher is less a film.

        Each image's score depends on it alone. Raises UsageError for another shape.
        """
        patterns = patterns_of(images, self.side, self.floor)
        # Summed row by row: a product of matrices may round one image's score by how many others there are.
        scores: npt.NDArray[np.float64] = (patterns * np.array(self.weights)).sum(axis=1) + self.bias
        return scores

    def to_json(self) -> dict[str, Any]:
        """Return what model.json has under "gate"."""
        return {
            "kind": GATE_KIND,
            "side": self.side,
            "floor": self.floor,
            "weights": list(self.weights),
            "bias": self.bias,
            "threshold": self.threshold,
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Gate:
        """Return the gate in `body`; raise ArtefactError when it is malformed or of a kind that is not known."""
        number: Kinds = (int, float)
        fields: dict[str, Kinds] = {
            "kind": str, "side": int, "floor": number, "weights": list, "bias": number, "threshold": number,
        }  # fmt: skip
        body = taken(body, fields, "model.json: gate")
        if body["kind"] != GATE_KIND:
            raise ArtefactError(f"gate: expected kind {GATE_KIND!r}, found {body['kind']!r}; upgrade this program")
        if not all(type(weight) in (int, float) for weight in body["weights"]):
            raise ArtefactError("gate: expected weights that are numbers; fetch the model again")
        try:
            return cls(
                side=body["side"],
                floor=float(body["floor"]),
                weights=tuple(map(float, body["weights"])),
                bias=float(body["bias"]),
                threshold=float(body["threshold"]),
            )
        except OverflowError as error:
            raise ArtefactError(f"gate: expected finite numbers, found one too large: {error}") from error


def patterns_of(images: npt.NDArray[np.floating[Any]], side: int, floor: float) -> Thumbnails:
    """Return the patterns of `images`, (n, h, w, 1): thumbnails less their mean, over their deviation plus `floor`.

    A cell of the thumbnail is the mean of the area that it covers. Raises UsageError for another shape.
    """
    if images.ndim != 4 or images.shape[3] != 1:
        raise UsageError(f"expected images of (n, h, w, 1), found {images.shape}")
    count, height, width, _ = images.shape
    rows, columns = _areas(height, side), _areas(width, side)
    cells = np.empty((count, side * side))
    for number, image in enumerate(images):
        cells[number] = (rows @ image[:, :, 0].astype(np.float64) @ columns.T).ravel()
    centred = cells - cells.mean(axis=1, keepdims=True)
    patterns: Thumbnails = centred / (centred.std(axis=1, keepdims=True) + floor)
    return patterns


def _areas(length: int, cells: int) -> npt.NDArray[np.float64]:
    """Return (cells, length): the share that each of `length` pixels has in each cell; rows sum to 1."""
    edges = np.arange(cells + 1) * (length / cells)
    pixels = np.arange(length)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    shares: npt.NDArray[np.float64] = np.clip(overlap, 0, None) * (cells / length)
    return shares
