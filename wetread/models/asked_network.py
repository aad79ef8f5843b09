"""What is said of another's network as it is imported: labels, what its outputs are, how films become its input.

The preprocessing is one JSON object, all of whose keys may be left out:

    height, width       of its input; without, the file's own
    input_range         [low, high] that black and white become; [0, 1] without, [-1024, 1024] for TorchXRayVision
    mean, std           in its place: of levels from 0 to 1, a number each, or one for each of three channels
    channels            1 or 3; without, the file's own
    clip_limit, tile_grid, brightness   CLAHE and brightness, where it learned from such films; else neither is done
    working_size, reduced_decoding, own_range, reduced_wavelets   as in every record of wetread's own
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.errors import ArtefactError, UsageError
from schemas.labels import checked_labels
from wetread.imaging.preprocess import Preprocess
from wetread.models.another_network import CHANNELS, GIVES, LOGITS, OUTPUTS_LIMIT, SOFTMAX, AnotherNetwork
from wetread.models.onnx_file import OnnxDescription, OnnxPort

UNREAD = "_"
"""In the place of a label: an output that is not read."""

_OWN = ("height", "width", "working_size", "clip_limit", "tile_grid", "brightness", "reduced_decoding", "own_range",
        "reduced_wavelets")  # fmt: skip
_KEYS = frozenset({*_OWN, "input_range", "mean", "std", "channels"})


@dataclass(frozen=True, slots=True)
class AskedNetwork:
    """labels: one an output, `_` for one that is not read, and perhaps one before them, for a film with no finding.

    gives: what the outputs are, one of GIVES. preprocess: as the module's docstring says.
    """

    labels: tuple[str, ...]
    gives: str
    preprocess: Mapping[str, Any]

    def __post_init__(self) -> None:
        if self.gives not in GIVES:
            raise UsageError(f"expected outputs that are {', '.join(GIVES)}, found {self.gives!r}")
        if unknown := sorted(set(self.preprocess) - _KEYS):
            raise UsageError(f"preprocess: expected the keys {', '.join(sorted(_KEYS))}, found also {unknown}")
        checked_labels(self.read_labels)

    @property
    def read_labels(self) -> tuple[str, ...]:
        """The model's labels."""
        return tuple(label for label in self.labels if label != UNREAD)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"labels": list(self.labels), "gives": self.gives, "preprocess": dict(self.preprocess)}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> AskedNetwork:
        """Return what `to_json` wrote."""
        return cls(tuple(body["labels"]), body["gives"], body["preprocess"])

    def network_of(self, file: OnnxDescription) -> tuple[AnotherNetwork, Preprocess]:
        """Return the network and the preprocessing before it; raise UsageError where the file does not fit."""
        first, height, width, channels = self._sides(file.taken)
        if len(file.given) != 1:
            raise UsageError(
                f"expected a network of one output, found {', '.join(one.name for one in file.given)}; export it with "
                "the one that its labels are of"
            )
        (given,) = file.given
        outputs = given.sides[1] if len(given.sides) == 2 else None
        if outputs is None or not 1 <= outputs <= OUTPUTS_LIMIT:
            raise UsageError(f"output {given.name!r}: expected (films, numbers), found {given.sides}")
        none_first = self._none_first(outputs)
        preprocess, means, stds = self._preprocess(height, width, channels)
        reads = tuple(place for place, label in enumerate(self.labels[none_first:]) if label != UNREAD)
        network = AnotherNetwork(
            height, width, channels, first, means, stds, file.taken.name, given.name, outputs, self.gives, reads,
            none_first, 1, file.parameters,
        )  # fmt: skip
        return network, preprocess

    def _none_first(self, outputs: int) -> bool:
        more = len(self.labels) - outputs
        if more not in ((0,) if self.gives == SOFTMAX else (0, 1)) or (more and self.labels[0] == UNREAD):
            also = "" if self.gives == SOFTMAX else ", or one more before them for a film with none of the findings"
            raise UsageError(
                f"expected a label for each of the network's {outputs} outputs{also}, found {len(self.labels)}: "
                f"{', '.join(self.labels)}"
            )
        if UNREAD in self.labels and self.gives in (SOFTMAX, LOGITS):
            raise UsageError(
                f"expected {UNREAD} for an output of a sigmoid alone; the others take all outputs together"
            )
        return bool(more)

    def _sides(self, port: OnnxPort) -> tuple[bool, int, int, int]:
        """Return whether channels come first, and height, width and channels."""
        asked = self.preprocess.get("channels")
        if len(port.sides) == 4:
            for first, at in ((True, (2, 3, 1)), (False, (1, 2, 3))):
                height, width, channels = (port.sides[place] for place in at)
                channels = asked if channels is None else channels
                if channels not in CHANNELS or (asked is not None and channels != asked):
                    continue
                height, width = (
                    side or self.preprocess.get(name) for side, name in ((height, "height"), (width, "width"))
                )
                if not (type(height) is int and type(width) is int):
                    raise UsageError(
                        f"input {port.name!r}: expected its height and width, which the file leaves open; give them in "
                        "--preprocess"
                    )
                return first, height, width, channels
        raise UsageError(
            f"input {port.name!r}: expected (films, 1 or 3 channels, height, width), or with the channels last, found "
            f"{port.sides}; where the file leaves the channels open, give them in --preprocess"
        )

    def _preprocess(
        self, height: int, width: int, channels: int
    ) -> tuple[Preprocess, tuple[float, ...], tuple[float, ...]]:
        given = self.preprocess
        own = {name: given[name] for name in _OWN if name in given}
        if "tile_grid" in own:
            own["tile_grid"] = tuple(own["tile_grid"])
        plain = not {"clip_limit", "tile_grid", "brightness"} & set(own)
        size = {"height": height, "width": width, "working_size": max(400, 2 * height, 2 * width)}
        means, stds = self._scale(channels)
        alike = len(set(means)) == len(set(stds)) == 1
        scale = {"mean": means[0], "std": stds[0]} if alike else {"mean": 0.0, "std": 1.0}
        how = ({"clip_limit": 0.0, "brightness": 0} if plain else {}) | size | own | scale
        if (how["height"], how["width"]) != (height, width):
            raise UsageError(
                f"preprocess: expected the file's own input of {height} x {width}, found {how['height']} x "
                f"{how['width']}"
            )
        try:
            preprocess = Preprocess(plain=plain, **how)
        except (ArtefactError, TypeError) as error:
            raise UsageError(str(error)) from error
        return (preprocess, (0.0,) * channels, (1.0,) * channels) if alike else (preprocess, means, stds)

    def _scale(self, channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
        given = self.preprocess
        if "input_range" in given:
            span = _numbers("input_range", given["input_range"], 2)
            if {"mean", "std"} & set(given) or not span[0] < span[1]:
                raise UsageError(
                    f"preprocess: expected input_range as [low, high] and neither mean nor std, found {span}"
                )
            low, high = span
            return (-low / (high - low),) * channels, (1 / (high - low),) * channels
        means, stds = (
            _numbers(name, value if isinstance(value, list) else [value] * channels, channels)
            for name, value in (("mean", given.get("mean", 0.0)), ("std", given.get("std", 1.0)))
        )
        return means, stds


def _numbers(name: str, value: object, count: int) -> tuple[float, ...]:
    right = isinstance(value, list | tuple) and len(value) == count and all(type(one) in (int, float) for one in value)
    if not right:
        raise UsageError(f"preprocess: {name}: expected {count} numbers, found {value!r}")
    return tuple(float(one) for one in value)  # type: ignore[attr-defined]  # seen to be a list
