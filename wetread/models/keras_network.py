"""Builds an Architecture as a Keras model, and converts its weights both ways.

The trainer and the Keras classifier build from here alone, so what is trained is what is served. Every
layer is one of Keras's own, made from checked numbers: nothing is deserialised, so no Lambda and no
registered object can come in.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from schemas.architecture import Architecture, LayerSpec
from schemas.errors import ArtefactError
from wetread.models.keras_runtime import import_keras
from wetread.models.shapes import network_shapes
from wetread.models.weights import Weights, checked_weights

INPUT_NAME = "_input"
"""Not a layer's name in any architecture: those begin with a letter or a digit."""


def build_keras(architecture: Architecture, *, seed: int | None = None) -> Any:
    """Return a functional keras.Model from (n, height, width, channels) float32 to logits (n, k) float32.

    seed: of the first weights and of dropout; None draws them differently each time. Raises
    ArtefactError when the architecture cannot be built, UsageError where TensorFlow is not installed.
    """
    network_shapes(architecture)
    _, keras = import_keras()
    before = source = keras.Input(architecture.input_shape, dtype="float32", name=INPUT_NAME)
    outputs: dict[str, Any] = {}
    for position, layer in enumerate(architecture.layers):
        taken = [outputs[name] for name in layer.inputs] or [before]
        own_seed = None if seed is None else (seed * 1_000_003 + position) % 2**31
        before = _make_layer(keras, layer, own_seed)(taken if layer.kind in ("add", "concatenate") else taken[0])
        outputs[layer.name] = before
    return keras.Model(source, before)


def build_keras_readout(model: Any) -> Any:
    """Return a keras.Model from the same input to (logits, features), sharing the weights of `model`.

    features: what the last layer, which is dense, takes: (n, f).
    """
    _, keras = import_keras()
    return keras.Model(model.input, [model.output, model.layers[-1].input])


def get_weights(model: Any) -> Weights:
    """Return the weights of `model` as "layer/weight" -> float32 array, copies."""
    return {
        f"{layer.name}/{variable.name}": np.array(variable.numpy(), dtype=np.float32)
        for layer in model.layers
        for variable in _weights_of(layer)
    }


def set_weights(model: Any, architecture: Architecture, weights: Weights) -> None:
    """Put `weights` into `model`, which `build_keras(architecture)` made.

    Raises ArtefactError unless they are exactly the architecture's; then nothing was changed.
    """
    checked = checked_weights(architecture, weights)
    for layer in model.layers:
        for variable in _weights_of(layer):
            variable.assign(checked[f"{layer.name}/{variable.name}"])


def _weights_of(layer: Any) -> list[Any]:
    # A dropout's random state is a variable too, but no weight.
    return [variable for variable in layer.weights if variable.dtype == "float32"]


def _make_layer(keras: Any, layer: LayerSpec, seed: int | None) -> Any:
    """Return Keras's layer for `layer`, with nothing left to the user's Keras settings."""
    layers = keras.layers
    makers: dict[str, Callable[..., Any]] = {
        "conv2d": layers.Conv2D,
        "depthwise_conv2d": layers.DepthwiseConv2D,
        "separable_conv2d": layers.SeparableConv2D,
        "max_pool2d": layers.MaxPooling2D,
        "average_pool2d": layers.AveragePooling2D,
        "global_average_pool2d": layers.GlobalAveragePooling2D,
        "dense": layers.Dense,
        "flatten": layers.Flatten,
        "relu": layers.ReLU,
        "relu6": partial(layers.ReLU, max_value=6.0),
        "softmax": layers.Softmax,
        "batch_norm": layers.BatchNormalization,
        "dropout": layers.Dropout,
        "add": layers.Add,
        "concatenate": layers.Concatenate,
        "upsample2d": layers.UpSampling2D,
    }
    if layer.kind not in makers:
        raise ArtefactError(f"layer {layer.name!r}: Keras has no builder for {layer.kind!r} here")
    settings = {key: tuple(value) if isinstance(value, list) else value for key, value in layer.settings.items()}
    if "padding" in settings or layer.kind in ("global_average_pool2d", "flatten", "upsample2d"):
        settings["data_format"] = "channels_last"
    for setting in _INITIALIZERS.get(layer.kind, ()):
        settings[setting] = keras.initializers.GlorotUniform(seed=seed)
    if layer.kind == "dropout":
        settings["seed"] = seed
    return makers[layer.kind](name=layer.name, dtype="float32", **settings)


_INITIALIZERS = {
    "conv2d": ("kernel_initializer",),
    "depthwise_conv2d": ("depthwise_initializer",),
    "separable_conv2d": ("depthwise_initializer", "pointwise_initializer"),
    "dense": ("kernel_initializer",),
}
"""Each kind's settings for first weights; Keras's own defaults, here with a seed."""
