"""What the served network does with its layers before it reads: it folds, shares borders, and cuts into blocks."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from schemas.architecture import Architecture, LayerSpec
from tests.unit.engine.networks import (
    BATCH_NORM,
    assert_close,
    convolution,
    dense,
    pictures,
    pool,
    separable,
    trained,
)
from wetread.engine.folding import fold
from wetread.engine.network import Network
from wetread.engine.serving import ServingNetwork


@pytest.mark.parametrize("strides", [[1, 1], [2, 2]])
@pytest.mark.parametrize("kind", ["conv2d", "separable_conv2d"])
def test_readers_with_other_borders_share_a_map(kind: str, strides: list[int]) -> None:
    """A map padded for one convolution is read by one that wants less padding, and by one that wants none."""
    own = convolution if kind == "conv2d" else separable
    layers = (
        convolution("first", 4),
        convolution("wide", 4, size=5),
        dataclasses.replace(own("narrow", 4), inputs=("first",)),
        LayerSpec("add", "sum", {}, ("wide", "narrow")),
        dataclasses.replace(own("unpadded", 5, padding="valid", strides=strides), inputs=("first",)),
        pool("pool"),
        LayerSpec("flatten", "flatten"),
        dense("hidden", 4),
        LayerSpec("flatten", "sum_flat", {}, ("sum",)),
        dense("of_sum", 4),
        LayerSpec("add", "both", {}, ("hidden", "of_sum")),
        dense("logits", 3),
    )
    network = trained(Architecture((13, 11, 1), layers))
    X = pictures(network.architecture, 3)
    serving = ServingNetwork(network.architecture, network.weights())
    assert_close(serving.logits(X), network.forward(X))


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("side", [2, 5])
def test_kernels_of_any_height_are_served_in_blocks(side: int, pooled: bool) -> None:
    layers = (
        convolution("first", 8),
        convolution("second", 12, size=side),
        *([pool("pool")] if pooled else []),
        LayerSpec("global_average_pool2d", "average"),
        dense("logits", 3),
    )
    network = trained(Architecture((60, 64, 1), layers))
    X = pictures(network.architecture, 9)
    expected = network.forward(X)
    serving = ServingNetwork(network.architecture, network.weights())
    np.testing.assert_allclose(serving.logits(X), expected, rtol=1e-5, atol=1e-5 * abs(expected).max())


def test_folding_leaves_no_batch_norm_after_a_convolution_and_no_dropout() -> None:
    layers = (
        convolution("conv", 3, use_bias=False),
        LayerSpec("dropout", "drop", {"rate": 0.5}),
        LayerSpec("batch_norm", "norm", BATCH_NORM),
        separable("separable", 4, use_bias=False),
        LayerSpec("batch_norm", "norm2", BATCH_NORM),
        LayerSpec("relu", "relu"),
        LayerSpec("batch_norm", "after_relu", BATCH_NORM),
        LayerSpec("global_average_pool2d", "average"),
        dense("logits", 2),
    )
    network = trained(Architecture((6, 6, 2), layers))
    given_weights = network.weights()
    architecture, weights = fold(network.architecture, given_weights)
    assert [layer.name for layer in architecture.layers] == [
        "conv",
        "separable",
        "relu",
        "after_relu",
        "average",
        "logits",
    ]
    X = pictures(network.architecture, 3)
    assert_close(Network(architecture, weights).forward(X), network.forward(X))
    for name, weight in network.weights().items():
        np.testing.assert_array_equal(given_weights[name], weight)


def test_a_convolution_that_others_read_too_keeps_its_own_output() -> None:
    layers = (
        convolution("conv", 3),
        LayerSpec("batch_norm", "norm", BATCH_NORM),
        LayerSpec("add", "add", {}, ("conv", "norm")),
        LayerSpec("global_average_pool2d", "average"),
        dense("logits", 2),
    )
    network = trained(Architecture((6, 6, 1), layers))
    X = pictures(network.architecture, 3)
    serving = ServingNetwork(network.architecture, network.weights())
    assert_close(serving.logits(X), network.forward(X))
