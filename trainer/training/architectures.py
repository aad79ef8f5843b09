"""The paper's three kinds of network, as data that Keras and the NumPy engine both build.

Each takes a square grey film and gives one logit a label. `size` is the film's side in pixels and `width`
scales every layer; the defaults are those of the shipped model and its rivals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from types import MappingProxyType

from schemas.architecture import Architecture, LayerSpec
from schemas.errors import UsageError
from trainer.backbones.lite0 import lite0
from wetread.models.shapes import network_shapes

SIZE_RANGE = (16, 1024)
DROPOUT = 0.3
_MULTIPLES = (2, 3, 6, 8, 12, 16, 16, 16)
"""Filters of each block, in halves of the width: the cost falls by half a block, whatever the depth."""
_LAST_SIDE = 8
"""Blocks are added until the map is this small: large enough to place a finding, small enough to average."""


def cnn(labels: int, *, size: int = 128, width: int = 16) -> Architecture:
    """Return blocks of 3x3 convolution, batch norm, ReLU and 2x2 max pooling, then a global average.

    At 128 pixels: 16, 24, 48, 64 and 96 filters, 98,000 parameters, 38 million multiplications a film.
    """
    layers: list[LayerSpec] = []
    for block, filters in enumerate(_filters(size, width), start=1):
        layers += [*_pool(block), _convolution(f"conv{block}", filters), *_normalised(block)]
    return Architecture((size, size, 1), (*layers, *_average_and_vote(labels)))


def separable(labels: int, *, size: int = 128, width: int = 24) -> Architecture:
    """Return the cnn with depthwise separable convolutions after the first, half as wide again.

    A depthwise 3x3 filter a channel, then a 1x1 mix of channels (Chollet 2017, "Xception"): a third of
    the cnn's parameters.
    """
    layers: list[LayerSpec] = []
    for block, filters in enumerate(_filters(size, width), start=1):
        convolution = _convolution if block == 1 else _separable_convolution
        layers += [*_pool(block), convolution(f"conv{block}", filters), *_normalised(block)]
    return Architecture((size, size, 1), (*layers, *_average_and_vote(labels)))


def dnn(labels: int, *, size: int = 128, width: int = 128) -> Architecture:
    """Return two hidden dense layers of `width` and half of it on the film averaged down to about 32 pixels.

    Unreduced, a film of 128 pixels would take two million weights in the first layer alone.
    """
    step = max(1, round(size / 32))
    layers = (
        LayerSpec("average_pool2d", "reduce", {"pool_size": [step, step], "strides": [step, step], "padding": "valid"}),
        LayerSpec("flatten", "flatten"),
        LayerSpec("dense", "hidden1", {"units": width, "use_bias": True}),
        LayerSpec("relu", "relu1"),
        LayerSpec("dropout", "drop1", {"rate": DROPOUT}),
        LayerSpec("dense", "hidden2", {"units": max(1, width // 2), "use_bias": True}),
        LayerSpec("relu", "relu2"),
        LayerSpec("dropout", "drop2", {"rate": DROPOUT}),
        LayerSpec("dense", "logits", {"units": labels, "use_bias": True}),
    )
    return Architecture((size, size, 1), layers)


ARCHITECTURES: Mapping[str, Callable[..., Architecture]] = MappingProxyType(
    {"cnn": cnn, "dnn": dnn, "separable": separable}
)
"""Name -> builder; `trainer.backbones.lite0` is another, which others trained."""


def make_architecture(name: str, labels: int, *, size: int, width: int | None = None) -> Architecture:
    """Return the architecture of this name; raise UsageError when name, size or width cannot be used."""
    if name not in (*ARCHITECTURES, "lite0"):
        raise UsageError(f"unknown architecture {name!r}; choose one of {', '.join(ARCHITECTURES)}")
    if not SIZE_RANGE[0] <= size <= SIZE_RANGE[1]:
        raise UsageError(f"expected a size from {SIZE_RANGE[0]} to {SIZE_RANGE[1]} pixels, found {size}")
    if name == "lite0":
        if width is not None:
            raise UsageError(f"expected no width for lite0, whose layers are as they were trained, found {width}")
        return lite0(labels, size=size)
    if width is not None and not 2 <= width <= 1024:
        raise UsageError(f"expected a width from 2 to 1024, found {width}")
    architecture = ARCHITECTURES[name](labels, size=size, **({} if width is None else {"width": width}))
    architecture.check()
    return architecture


def parameters(architecture: Architecture) -> int:
    """Return how many numbers its weights hold, the statistics of batch normalisation among them."""
    return sum(prod(shape) for shape in network_shapes(architecture).weights.values())


def _filters(size: int, width: int) -> list[int]:
    blocks = 1
    while size // 2**blocks >= _LAST_SIDE and blocks < len(_MULTIPLES):
        blocks += 1
    return [max(1, width * halves // 2) for halves in _MULTIPLES[:blocks]]


def _pool(block: int) -> list[LayerSpec]:
    """Return the pooling before every block but the first."""
    if block == 1:
        return []
    return [LayerSpec("max_pool2d", f"pool{block - 1}", {"pool_size": [2, 2], "strides": [2, 2], "padding": "valid"})]


def _convolution(name: str, filters: int) -> LayerSpec:
    settings = {"filters": filters, "kernel_size": [3, 3], "strides": [1, 1], "padding": "same", "use_bias": False}
    return LayerSpec("conv2d", name, settings)


def _separable_convolution(name: str, filters: int) -> LayerSpec:
    settings = dict(_convolution(name, filters).settings) | {"depth_multiplier": 1}
    return LayerSpec("separable_conv2d", name, settings)


def _normalised(block: int) -> list[LayerSpec]:
    # Momentum 0.9: an epoch of a thousand films has some thirty steps, too few for the usual 0.99 to follow.
    return [
        LayerSpec("batch_norm", f"norm{block}", {"epsilon": 1e-3, "momentum": 0.9}),
        LayerSpec("relu", f"relu{block}"),
    ]


def _average_and_vote(labels: int) -> tuple[LayerSpec, ...]:
    return (
        LayerSpec("global_average_pool2d", "average"),
        LayerSpec("dropout", "drop", {"rate": DROPOUT}),
        LayerSpec("dense", "logits", {"units": labels, "use_bias": True}),
    )
