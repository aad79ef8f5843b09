"""The shapes of a network are Keras's, and an architecture that has none is refused."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.architecture import Architecture, LayerSpec
from schemas.errors import ArtefactError
from wetread.engine.network import Network
from wetread.models.shapes import network_shapes

CONVOLUTION = {"filters": 4, "kernel_size": [3, 2], "strides": [2, 1], "padding": "valid", "use_bias": True}
LOGITS = LayerSpec("dense", "logits", {"units": 3, "use_bias": False})


def flat(*layers: LayerSpec) -> Architecture:
    return Architecture((9, 8, 2), (*layers, LayerSpec("flatten", "flat"), LOGITS))


def test_shapes_of_every_kind_of_layer() -> None:
    window = {"kernel_size": (3, 3), "strides": (2, 2), "padding": "same", "depth_multiplier": 2, "use_bias": True}
    shapes = network_shapes(
        flat(
            LayerSpec("conv2d", "conv", CONVOLUTION),
            LayerSpec("batch_norm", "norm", {"epsilon": 1e-3, "momentum": 0.9}),
            LayerSpec("relu", "relu"),
            LayerSpec("add", "add", {}, ("norm", "relu")),
            LayerSpec("depthwise_conv2d", "depthwise", window),
            LayerSpec("separable_conv2d", "separable", window | {"filters": 5, "use_bias": False}),
            LayerSpec("max_pool2d", "pool", {"pool_size": [1, 2], "strides": [1, 1], "padding": "valid"}),
            LayerSpec("dropout", "dropout", {"rate": 0.5}),
        )
    )
    assert shapes.outputs == {
        "conv": (4, 7, 4),
        "norm": (4, 7, 4),
        "relu": (4, 7, 4),
        "add": (4, 7, 4),
        "depthwise": (2, 4, 8),
        "separable": (1, 2, 5),
        "pool": (1, 1, 5),
        "dropout": (1, 1, 5),
        "flat": (5,),
        "logits": (3,),
    }
    assert shapes.weights["conv/kernel"] == (3, 2, 2, 4)
    assert shapes.weights["depthwise/kernel"] == (3, 3, 4, 2)
    assert shapes.weights["separable/pointwise_kernel"] == (1, 1, 16, 5)
    assert "separable/bias" not in shapes.weights
    assert (shapes.features, shapes.logits) == ((5,), (3,))


def test_maps_grow_and_branches_are_joined_by_channel() -> None:
    up = LayerSpec("upsample2d", "up", {"size": [2, 3], "interpolation": "bilinear"})
    joined = LayerSpec("concatenate", "joined", {}, ("up", "six", "up"))
    shapes = network_shapes(flat(up, LayerSpec("relu6", "six"), joined))
    assert (shapes.outputs["up"], shapes.outputs["joined"]) == ((18, 24, 2), (18, 24, 6))
    wrong = {
        "differ in channels alone": flat(
            LayerSpec("relu", "one"), up, LayerSpec("concatenate", "j", {}, ("one", "up"))
        ),
        "interpolation": flat(LayerSpec("upsample2d", "up", {"size": [2, 2], "interpolation": "cubic"})),
        "size as two sizes": flat(LayerSpec("upsample2d", "up", {"size": [0, 2], "interpolation": "nearest"})),
        "found 1 inputs": flat(up, LayerSpec("concatenate", "j", {}, ("up",))),
    }
    for message, architecture in wrong.items():
        with pytest.raises(ArtefactError, match=message):
            network_shapes(architecture)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [[1, 1], [2, 2], [3, 1]])
def test_the_engine_has_the_same_shapes(padding: str, strides: list[int]) -> None:
    architecture = flat(LayerSpec("conv2d", "conv", CONVOLUTION | {"padding": padding, "strides": strides}))
    built = Network(architecture)
    expected = {name: array.shape for name, array in built.weights().items()}
    assert dict(network_shapes(architecture).weights) == expected


@pytest.mark.parametrize(
    "settings",
    [
        {"filters": 0},
        {"filters": True},
        {"filters": 2.5},
        {"filters": "4"},
        {"filters": 10**9},
        {"kernel_size": [3]},
        {"kernel_size": 3},
        {"kernel_size": [0, 3]},
        {"kernel_size": [10, 3]},
        {"strides": [1, None]},
        {"padding": "full"},
        {"padding": ["same"]},
        {"use_bias": "yes"},
    ],
)
def test_a_setting_that_cannot_be_is_refused_naming_its_layer(settings: dict[str, Any]) -> None:
    with pytest.raises(ArtefactError, match="layer 'conv'"):
        network_shapes(flat(LayerSpec("conv2d", "conv", CONVOLUTION | settings)))


def test_layers_that_do_not_fit_together_are_refused() -> None:
    conv = LayerSpec("conv2d", "conv", CONVOLUTION)
    relu = LayerSpec("relu", "relu")
    wrong = {
        "flat features": Architecture((9, 8, 2), (LOGITS,)),
        "one shape": flat(relu, conv, LayerSpec("add", "add", {}, ("relu", "conv"))),
        "height, width, channels": flat(LayerSpec("flatten", "f"), conv),
        "taken by another": flat(conv, LayerSpec("relu", "used", {}, ("conv",)), LayerSpec("relu", "x", {}, ("conv",))),
        "dense layer at the end": Architecture((9, 8, 2), (conv, relu)),
        "layer name": flat(LayerSpec("relu", "a b")),
        "more than this program allows": flat(LayerSpec("conv2d", "c", CONVOLUTION | {"filters": 65_536}), conv),
    }
    wrong["more than this program allows"] = Architecture(
        (60_000, 60_000, 1), (LayerSpec("relu", "relu"), LayerSpec("global_average_pool2d", "mean"), LOGITS)
    )
    for message, architecture in wrong.items():
        with pytest.raises(ArtefactError, match=message):
            network_shapes(architecture)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("batch_norm", {"epsilon": 0.0, "momentum": 0.9}),
        ("batch_norm", {"epsilon": 1e-3, "momentum": 1.0}),
        ("dropout", {"rate": 1.0}),
        ("dropout", {"rate": float("nan")}),
    ],
)
def test_numbers_out_of_their_range_are_refused(kind: str, settings: dict[str, Any]) -> None:
    with pytest.raises(ArtefactError, match="layer 'odd'"):
        network_shapes(flat(LayerSpec(kind, "odd", settings)))
