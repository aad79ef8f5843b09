"""Small networks that the engine's tests share."""

from __future__ import annotations

from typing import Any

from schemas.architecture import Architecture, LayerSpec

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
