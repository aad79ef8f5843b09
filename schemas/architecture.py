"""A network as data, from which both Keras and the NumPy engine build it.

A layer is one of `LAYER_KINDS` with exactly the settings named there; the names, the shapes and the
"same" and "valid" padding are Keras's. Layers form a graph: a layer without `inputs` takes the one
before it (the first takes the network's input), `add` names two and `concatenate` two or more. The last
layer's output is the logits; softmax belongs to the decision, so that a temperature can be fitted without
touching the network.

Weights are a flat mapping "layer/weight" -> array, in Keras's layout:

    conv2d             kernel (kh, kw, in, filters), bias (filters,)
    depthwise_conv2d   kernel (kh, kw, in, depth_multiplier), bias (in * depth_multiplier,)
    separable_conv2d   depthwise_kernel (kh, kw, in, depth_multiplier),
                       pointwise_kernel (1, 1, in * depth_multiplier, filters), bias (filters,)
    dense              kernel (in, units), bias (units,)
    batch_norm         gamma, beta, moving_mean, moving_variance, each (channels,)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from schemas.errors import ArtefactError

LAYER_KINDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "conv2d": frozenset({"filters", "kernel_size", "strides", "padding", "use_bias"}),
        "depthwise_conv2d": frozenset({"kernel_size", "strides", "padding", "depth_multiplier", "use_bias"}),
        "separable_conv2d": frozenset({"filters", "kernel_size", "strides", "padding", "depth_multiplier", "use_bias"}),
        "max_pool2d": frozenset({"pool_size", "strides", "padding"}),
        "average_pool2d": frozenset({"pool_size", "strides", "padding"}),
        "global_average_pool2d": frozenset(),
        "dense": frozenset({"units", "use_bias"}),
        "flatten": frozenset(),
        "relu": frozenset(),
        "relu6": frozenset(),
        "softmax": frozenset(),
        "batch_norm": frozenset({"epsilon", "momentum"}),
        "dropout": frozenset({"rate"}),
        "add": frozenset(),
        "concatenate": frozenset(),
        "upsample2d": frozenset({"size", "interpolation"}),
    }
)
"""Layer kind -> the settings it must have, no more and no fewer. Sizes and strides are pairs of integers."""


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """One layer: its kind, a name unique in the network, its settings and the layers it takes."""

    kind: str
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network: `input_shape` is (height, width, channels), without the batch."""

    input_shape: tuple[int, int, int]
    layers: tuple[LayerSpec, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form; equal architectures give equal JSON."""
        return {
            "input_shape": list(self.input_shape),
            "layers": [
                {"kind": layer.kind, "name": layer.name}
                | ({"settings": dict(sorted(layer.settings.items()))} if layer.settings else {})
                | ({"inputs": list(layer.inputs)} if layer.inputs else {})
                for layer in self.layers
            ],
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Architecture:
        """Return the architecture in `body`; raise ArtefactError naming the layer that is wrong."""
        try:
            height, width, channels = (int(side) for side in body["input_shape"])
            layers = tuple(
                LayerSpec(
                    str(layer["kind"]),
                    str(layer["name"]),
                    dict(layer.get("settings", {})),
                    tuple(str(name) for name in layer.get("inputs", ())),
                )
                for layer in body["layers"]
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ArtefactError(
                f"expected an architecture with input_shape and layers, found a fault: {error}"
            ) from error
        architecture = cls((height, width, channels), layers)
        architecture.check()
        return architecture

    def check(self) -> None:
        """Raise ArtefactError unless every layer is known, named once, and takes layers before it."""
        if min(self.input_shape) < 1:
            raise ArtefactError(f"expected a positive input shape, found {self.input_shape}")
        seen: set[str] = set()
        for layer in self.layers:
            wanted = LAYER_KINDS.get(layer.kind)
            if wanted is None:
                raise ArtefactError(
                    f"layer {layer.name!r}: unknown kind {layer.kind!r}; known: {', '.join(LAYER_KINDS)}"
                )
            if set(layer.settings) != wanted:
                raise ArtefactError(
                    f"layer {layer.name!r} ({layer.kind}): expected settings {sorted(wanted)}, "
                    f"found {sorted(layer.settings)}"
                )
            if not layer.name or "/" in layer.name or layer.name in seen:
                raise ArtefactError(f"layer name {layer.name!r}: expected one without '/', used once")
            if unknown := set(layer.inputs) - seen:
                raise ArtefactError(f"layer {layer.name!r}: its inputs {sorted(unknown)} do not come before it")
            if not _takes(layer.kind, len(layer.inputs)):
                raise ArtefactError(f"layer {layer.name!r} ({layer.kind}): found {len(layer.inputs)} inputs")
            seen.add(layer.name)
        if not self.layers:
            raise ArtefactError("expected at least one layer, found none")


def _takes(kind: str, inputs: int) -> bool:
    """Return whether a layer of this kind can have so many inputs; by default it takes the layer before it."""
    if kind == "concatenate":
        return inputs >= 2
    return inputs == 2 if kind == "add" else inputs <= 1
