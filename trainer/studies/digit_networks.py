"""The two networks of the paper's MNIST study.

It states their kinds: two dense layers with ReLU; one convolution, one pooling and two dense layers with
ReLU. How many filters and units is ours.
"""

from __future__ import annotations

from schemas.architecture import Architecture, LayerSpec
from trainer.studies.digits import DIGITS, SIDE

UNITS = 128
FILTERS = 8


def digit_dnn() -> Architecture:
    """Return flatten, dense 128, ReLU, dense 5: 25,861 parameters."""
    return Architecture((SIDE, SIDE, 1), (LayerSpec("flatten", "flatten"), *_dense_layers()))


def digit_cnn() -> Architecture:
    """Return 8 convolutions of 3x3, ReLU, 2x2 max pooling, flatten, dense 128, ReLU, dense 5: 37,717 parameters."""
    convolution = {"filters": FILTERS, "kernel_size": [3, 3], "strides": [1, 1], "padding": "valid", "use_bias": True}
    pooling = {"pool_size": [2, 2], "strides": [2, 2], "padding": "valid"}
    layers = (
        LayerSpec("conv2d", "conv", convolution),
        LayerSpec("relu", "conv_relu"),
        LayerSpec("max_pool2d", "pool", pooling),
        LayerSpec("flatten", "flatten"),
        *_dense_layers(),
    )
    return Architecture((SIDE, SIDE, 1), layers)


def _dense_layers() -> tuple[LayerSpec, ...]:
    return (
        LayerSpec("dense", "hidden", {"units": UNITS, "use_bias": True}),
        LayerSpec("relu", "hidden_relu"),
        LayerSpec("dense", "logits", {"units": DIGITS, "use_bias": True}),
    )
