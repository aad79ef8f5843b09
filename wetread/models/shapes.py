"""The shapes of a network's outputs and weights, from its architecture alone.

An artefact is checked against them before anything is built, so a card can neither ask for a layer that
an engine would have to guess, nor for more memory than a chest film's network has any use for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.architecture import Architecture, LayerSpec
from schemas.errors import ArtefactError

Shape = tuple[int, ...]

LAYERS_LIMIT = 1_000
SIZE_LIMIT = 65_536
"""Of one setting: filters, units, a kernel's or a stride's side, a side of the input."""
WEIGHTS_LIMIT = 2**28
"""Numbers in all weights together: 1 GiB as float32."""
ACTIVATION_LIMIT = 2**26
"""Numbers in one layer's output for one image: 256 MiB as float32."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True, slots=True)
class NetworkShapes:
    """`outputs`: layer -> its output's shape without the batch. `weights`: "layer/weight" -> its shape.

    `features` is the shape of what the last layer takes, which the input gate looks at.
    """

    outputs: Mapping[str, Shape]
    weights: Mapping[str, Shape]
    features: Shape

    @property
    def logits(self) -> Shape:
        """The shape of the last layer's output, without the batch."""
        return list(self.outputs.values())[-1]


def network_shapes(architecture: Architecture, *, ends_in_map: bool = False) -> NetworkShapes:
    """Return the shapes of `architecture`; raise ArtefactError naming the layer that cannot be built.

    ends_in_map: it is a segmenter, whose last layer gives a map, and no classifier, whose last layer is dense.

    "same" padding gives ceil(n / stride), "valid" gives floor((n - kernel) / stride) + 1, as in Keras.
    """
    architecture.check()
    if len(architecture.layers) > LAYERS_LIMIT or max(architecture.input_shape) > SIZE_LIMIT:
        raise ArtefactError(
            f"expected at most {LAYERS_LIMIT} layers and sides of at most {SIZE_LIMIT}, found "
            f"{len(architecture.layers)} layers on {architecture.input_shape}"
        )
    _check_graph(architecture, ends_in_map)
    outputs: dict[str, Shape] = {}
    weights: dict[str, Shape] = {}
    before: Shape = architecture.input_shape
    taken: list[Shape] = [before]
    for layer in architecture.layers:
        if not _NAME.fullmatch(layer.name):
            raise ArtefactError(f"layer name {layer.name!r}: expected letters, digits, '_', '.' and '-', at most 128")
        taken = [outputs[name] for name in layer.inputs] or [before]
        before, own = _layer_shapes(layer, taken)
        outputs[layer.name] = before
        weights.update({f"{layer.name}/{weight}": shape for weight, shape in own.items()})
        if math.prod(before) > ACTIVATION_LIMIT or sum(map(math.prod, weights.values())) > WEIGHTS_LIMIT:
            raise _fault(layer, f"it asks for more than this program allows: output {before}, weights {own}")
    return NetworkShapes(outputs, weights, taken[0])


def _check_graph(architecture: Architecture, ends_in_map: bool) -> None:
    """Raise ArtefactError when a layer's output is lost, or when a classifier's last layer is not dense."""
    used: set[str] = set()
    before: tuple[str, ...] = ()
    for layer in architecture.layers:
        used.update(layer.inputs or before)
        before = (layer.name,)
    last = architecture.layers[-1]
    if lost := sorted({layer.name for layer in architecture.layers} - used - {last.name}):
        raise ArtefactError(f"expected each layer's output to be taken by another, found none for {', '.join(lost)}")
    if last.kind != "dense" and not ends_in_map:
        raise _fault(last, "expected a dense layer at the end: it gives the logits, and what it takes are the features")


def _layer_shapes(layer: LayerSpec, taken: list[Shape]) -> tuple[Shape, dict[str, Shape]]:
    """Return the layer's output shape and its weights' shapes."""
    shape = taken[0]
    match layer.kind:
        case "conv2d" | "depthwise_conv2d" | "separable_conv2d":
            return _convolution(layer, shape)
        case "max_pool2d" | "average_pool2d":
            channels = _image(layer, shape)[2]
            return (*_window(layer, shape, _pair(layer, "pool_size")), channels), {}
        case "global_average_pool2d":
            return (_image(layer, shape)[2],), {}
        case "dense":
            if len(shape) != 1:
                raise _fault(layer, f"expected flat features, found {shape}; put a flatten before it")
            units = _size(layer, "units")
            return (units,), {"kernel": (shape[0], units)} | _bias(layer, units)
        case "flatten":
            return (math.prod(shape),), {}
        case "batch_norm":
            _number(layer, "epsilon", 1e-12, 1.0)
            _number(layer, "momentum", 0.0, 1.0)
            return shape, dict.fromkeys(("gamma", "beta", "moving_mean", "moving_variance"), (shape[-1],))
        case "dropout":
            _number(layer, "rate", 0.0, 1.0)
            return shape, {}
        case "add":
            if taken[0] != taken[1]:
                raise _fault(layer, f"expected two inputs of one shape, found {taken[0]} and {taken[1]}")
            return shape, {}
        case "concatenate":
            if len({each[:-1] for each in taken}) > 1:
                raise _fault(
                    layer, f"expected inputs that differ in channels alone, found {', '.join(map(str, taken))}"
                )
            return (*shape[:-1], sum(each[-1] for each in taken)), {}
        case "upsample2d":
            height, width, channels = _image(layer, shape)
            down, along = _pair(layer, "size")
            if layer.settings["interpolation"] not in ("nearest", "bilinear"):
                found = layer.settings["interpolation"]
                raise _fault(layer, f"expected interpolation 'nearest' or 'bilinear', found {found!r}")
            return (height * down, width * along, channels), {}
        case "relu" | "relu6" | "softmax":
            return shape, {}
        case unknown:
            raise _fault(layer, f"no shapes are known for {unknown!r}")


def _convolution(layer: LayerSpec, shape: Shape) -> tuple[Shape, dict[str, Shape]]:
    channels = _image(layer, shape)[2]
    kernel = _pair(layer, "kernel_size")
    sides = _window(layer, shape, kernel)
    if layer.kind == "conv2d":
        filters = _size(layer, "filters")
        return (*sides, filters), {"kernel": (*kernel, channels, filters)} | _bias(layer, filters)
    strides = _pair(layer, "strides")
    if strides[0] != strides[1]:
        raise _fault(layer, f"expected equal strides, found {strides}; TensorFlow has no others by depth")
    multiplier = _size(layer, "depth_multiplier")
    depth = channels * multiplier
    depthwise = (*kernel, channels, multiplier)
    if layer.kind == "depthwise_conv2d":
        return (*sides, depth), {"kernel": depthwise} | _bias(layer, depth)
    filters = _size(layer, "filters")
    weights = {"depthwise_kernel": depthwise, "pointwise_kernel": (1, 1, depth, filters)}
    return (*sides, filters), weights | _bias(layer, filters)


def _window(layer: LayerSpec, shape: Shape, kernel: tuple[int, int]) -> tuple[int, int]:
    """Return the output's height and width for a window of `kernel` that moves by the layer's strides."""
    padding = layer.settings["padding"]
    if padding not in ("valid", "same"):
        raise _fault(layer, f"expected padding 'valid' or 'same', found {padding!r}")
    strides = _pair(layer, "strides")
    if padding == "same":
        return -(-shape[0] // strides[0]), -(-shape[1] // strides[1])
    if kernel[0] > shape[0] or kernel[1] > shape[1]:
        raise _fault(layer, f"its window {kernel} is larger than its input {shape}")
    return (shape[0] - kernel[0]) // strides[0] + 1, (shape[1] - kernel[1]) // strides[1] + 1


def _image(layer: LayerSpec, shape: Shape) -> Shape:
    if len(shape) != 3:
        raise _fault(layer, f"expected an input of (height, width, channels), found {shape}")
    return shape


def _bias(layer: LayerSpec, units: int) -> dict[str, Shape]:
    use_bias = layer.settings["use_bias"]
    if not isinstance(use_bias, bool):
        raise _fault(layer, f"expected use_bias true or false, found {use_bias!r}")
    return {"bias": (units,)} if use_bias else {}


def _pair(layer: LayerSpec, setting: str) -> tuple[int, int]:
    value = layer.settings[setting]
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(map(_is_size, value)):
        raise _fault(layer, f"expected {setting} as two sizes from 1 to {SIZE_LIMIT}, found {value!r}")
    return value[0], value[1]


def _size(layer: LayerSpec, setting: str) -> int:
    value = layer.settings[setting]
    if not _is_size(value):
        raise _fault(layer, f"expected {setting} from 1 to {SIZE_LIMIT}, found {value!r}")
    return int(value)


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= SIZE_LIMIT


def _number(layer: LayerSpec, setting: str, low: float, high: float) -> None:
    value = layer.settings[setting]
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value < high:
        raise _fault(layer, f"expected {setting} from {low} to below {high}, found {value!r}")


def _fault(layer: LayerSpec, what: str) -> ArtefactError:
    return ArtefactError(f"layer {layer.name!r} ({layer.kind}): {what}")
