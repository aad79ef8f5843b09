"""From a layer's description to the layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from schemas.architecture import LayerSpec
from schemas.errors import ArtefactError
from wetread.engine.layers.add import Add
from wetread.engine.layers.average_pool2d import AveragePool2D
from wetread.engine.layers.batch_norm import BatchNorm
from wetread.engine.layers.concatenate import Concatenate
from wetread.engine.layers.conv2d import Conv2D
from wetread.engine.layers.dense import Dense
from wetread.engine.layers.depthwise_conv2d import DepthwiseConv2D
from wetread.engine.layers.dropout import Dropout
from wetread.engine.layers.flatten import Flatten
from wetread.engine.layers.global_average_pool2d import GlobalAveragePool2D
from wetread.engine.layers.layer import Layer
from wetread.engine.layers.max_pool2d import MaxPool2D
from wetread.engine.layers.relu import ReLU
from wetread.engine.layers.relu6 import ReLU6
from wetread.engine.layers.separable_conv2d import SeparableConv2D
from wetread.engine.layers.softmax import Softmax
from wetread.engine.layers.upsample2d import Upsample2D

LAYERS: Mapping[str, Callable[..., Layer]] = MappingProxyType(
    {
        "conv2d": Conv2D,
        "depthwise_conv2d": DepthwiseConv2D,
        "separable_conv2d": SeparableConv2D,
        "max_pool2d": MaxPool2D,
        "average_pool2d": AveragePool2D,
        "global_average_pool2d": GlobalAveragePool2D,
        "dense": Dense,
        "flatten": Flatten,
        "relu": ReLU,
        "relu6": ReLU6,
        "softmax": Softmax,
        "batch_norm": BatchNorm,
        "dropout": Dropout,
        "add": Add,
        "concatenate": Concatenate,
        "upsample2d": Upsample2D,
    }
)
"""Layer kind, as in `schemas.architecture.LAYER_KINDS`, -> its class; the settings are its arguments."""


def make_layer(spec: LayerSpec) -> Layer:
    """Return the layer that `spec` describes, not yet built; raise ArtefactError naming it when it is wrong."""
    try:
        return LAYERS[spec.kind](**spec.settings)
    except (ArtefactError, TypeError) as error:
        raise ArtefactError(f"layer {spec.name!r} ({spec.kind}) cannot be made as described: {error}") from error
