"""Small networks that the engine's tests share."""

from __future__ import annotations

from typing import Any

import numpy as np

from schemas.architecture import Architecture, LayerSpec
from wetread.engine.array import Array
from wetread.engine.network import Network

BATCH_NORM = {"epsilon": 1e-3, "momentum": 0.9}


def convolution(name: str, filters: int, *, size: int = 3, padding: str = "same", **settings: Any) -> LayerSpec:
    body = {"kernel_size": [size, size], "strides": [1, 1], "padding": padding, "use_bias": True}
    return LayerSpec("conv2d", name, {"filters": filters, **body, **settings})


def separable(name: str, filters: int, **settings: Any) -> LayerSpec:
    body = {"kernel_size": [3, 3], "strides": [1, 1], "padding": "same", "depth_multiplier": 1, "use_bias": True}
    return LayerSpec("separable_conv2d", name, {"filters": filters, **body, **settings})


def pool(name: str, *, kind: str = "max_pool2d", padding: str = "valid") -> LayerSpec:
    return LayerSpec(kind, name, {"pool_size": [2, 2], "strides": [2, 2], "padding": padding})


def dense(name: str, units: int) -> LayerSpec:
    return LayerSpec("dense", name, {"units": units, "use_bias": True})


def residual_network(side: int = 8, *, dropout: float = 0.25, classes: int = 3) -> Architecture:
    """Every kind of layer but softmax, two branches that meet, and one layer read twice."""
    return Architecture(
        (side, side, 1),
        (
            convolution("conv1", 4, use_bias=False),
            LayerSpec("batch_norm", "norm1", BATCH_NORM),
            LayerSpec("relu", "relu1"),
            convolution("conv2", 4),
            LayerSpec("relu", "relu2"),
            LayerSpec("add", "add", {}, ("relu1", "relu2")),
            pool("pool1"),
            separable("separable", 5),
            LayerSpec("batch_norm", "norm2", BATCH_NORM),
            pool("pool2", kind="average_pool2d", padding="same"),
            LayerSpec(
                "depthwise_conv2d",
                "depthwise",
                {"kernel_size": [2, 2], "strides": [1, 1], "padding": "same", "depth_multiplier": 2, "use_bias": True},
            ),
            LayerSpec("relu", "relu3"),
            LayerSpec("dropout", "dropout", {"rate": dropout}),
            LayerSpec("flatten", "flatten"),
            dense("hidden", 6),
            LayerSpec("relu", "relu4"),
            dense("logits", classes),
        ),
    )


def two_depths() -> Architecture:
    """ReLU6, maps halved, brought back and joined, and the averages of two depths side by side, as a backbone's are."""
    return Architecture(
        (10, 12, 2),
        (
            convolution("conv1", 4, use_bias=False),
            LayerSpec("batch_norm", "norm1", BATCH_NORM),
            LayerSpec("relu6", "relu1"),
            convolution("conv2", 5, strides=[2, 2]),
            LayerSpec("relu6", "relu2"),
            LayerSpec("upsample2d", "up", {"size": [2, 2], "interpolation": "bilinear"}),
            LayerSpec("concatenate", "both", {}, ("up", "relu1")),
            separable("mixed", 3),
            LayerSpec("relu6", "relu3"),
            LayerSpec("upsample2d", "large", {"size": [1, 2], "interpolation": "nearest"}),
            LayerSpec("batch_norm", "norm2", BATCH_NORM),
            LayerSpec("relu6", "relu4"),
            LayerSpec("global_average_pool2d", "shallow", {}, ("relu2",)),
            LayerSpec("global_average_pool2d", "deep", {}, ("relu4",)),
            LayerSpec("concatenate", "features", {}, ("shallow", "deep", "shallow")),
            dense("logits", 3),
        ),
    )


def small_cnn(side: int = 10, channels: int = 1, classes: int = 3) -> Architecture:
    return Architecture(
        (side, side, channels),
        (
            convolution("conv", 6, padding="valid"),
            LayerSpec("relu", "relu1"),
            pool("pool"),
            LayerSpec("flatten", "flatten"),
            dense("hidden", 16),
            LayerSpec("relu", "relu2"),
            dense("logits", classes),
        ),
    )


def trained(architecture: Architecture, seed: int = 0) -> Network:
    """A network whose moving statistics are not the first ones; images must still reach its logits alive."""
    rng = np.random.default_rng(seed)
    network = Network(architecture, seed=seed)
    network.parameter_vector += rng.uniform(-0.1, 0.1, network.parameter_vector.shape).astype(np.float32)
    for name, moving in network.state().items():
        low, high = (0.1, 0.5) if name.endswith("variance") else (-0.2, 0.2)
        moving[...] = rng.uniform(low, high, moving.shape)
    return network


def assert_close(found: Array, expected: Array) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def pictures(architecture: Architecture, n: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(n, *architecture.input_shape)).astype(np.float32)
