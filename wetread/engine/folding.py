"""What training needs and serving does not: batch normalisation folded away, dropout removed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from schemas.architecture import Architecture, LayerSpec
from wetread.engine.array import Array

FOLDS_INTO = {
    "conv2d": "kernel",
    "dense": "kernel",
    "depthwise_conv2d": "kernel",
    "separable_conv2d": "pointwise_kernel",
}
"""Kind of layer -> the weight that a batch normalisation after it scales."""


def fold(architecture: Architecture, weights: Mapping[str, Array]) -> tuple[Architecture, dict[str, Array]]:
    """Return a network without dropout, and without the batch normalisations that a layer before them can take.

    A BatchNorm after a convolution or dense layer that nothing else reads becomes part of it: with
    s = γ / √(σ² + ε), kernel ← kernel · s and bias ← (bias - μ) s + β. The logits stay the same up to rounding.
    """
    weights = dict(weights)
    layers = _without_dropout(_with_inputs(architecture))
    while found := _foldable(layers):
        before, norm = found
        layers[layers.index(before)] = _fold_one(before, norm, weights)
        layers = _without(norm, layers)
    return Architecture(architecture.input_shape, tuple(layers)), weights


def _with_inputs(architecture: Architecture) -> list[LayerSpec]:
    """Return the layers with every input named; only the first, which takes the network's own, has none."""
    layers: list[LayerSpec] = []
    for layer in architecture.layers:
        inputs = layer.inputs or ((layers[-1].name,) if layers else ())
        layers.append(dataclasses.replace(layer, inputs=inputs))
    return layers


def _foldable(layers: list[LayerSpec]) -> tuple[LayerSpec, LayerSpec] | None:
    """Return a layer that a BatchNorm alone reads, and that BatchNorm; None when there is none left."""
    for before in layers:
        readers = [layer for layer in layers if before.name in layer.inputs]
        if before.kind in FOLDS_INTO and len(readers) == 1 and readers[0].kind == "batch_norm":
            return before, readers[0]
    return None


def _without_dropout(layers: list[LayerSpec]) -> list[LayerSpec]:
    while found := [layer for layer in layers[1:] if layer.kind == "dropout"]:
        layers = _without(found[0], layers)
    return layers


def _without(layer: LayerSpec, layers: list[LayerSpec]) -> list[LayerSpec]:
    """Return the layers but for one with one input, whose readers read that input instead."""
    (source,) = layer.inputs
    return [
        dataclasses.replace(reader, inputs=tuple(source if taken == layer.name else taken for taken in reader.inputs))
        for reader in layers
        if reader.name != layer.name
    ]


def _fold_one(before: LayerSpec, norm: LayerSpec, weights: dict[str, Array]) -> LayerSpec:
    """Move `norm`'s weights into `before`'s; return `before`, which has a bias now."""
    gamma, beta, mean, variance = (
        weights.pop(f"{norm.name}/{name}").astype(np.float64)
        for name in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    scale = gamma / np.sqrt(variance + norm.settings["epsilon"])
    kernel_name, bias_name = f"{before.name}/{FOLDS_INTO[before.kind]}", f"{before.name}/bias"
    kernel = weights[kernel_name]
    # A depthwise kernel is (kh, kw, in, multiplier): its last two axes together are the channels of the norm.
    scale_of_kernel = scale.reshape(kernel.shape[2:]) if before.kind == "depthwise_conv2d" else scale
    weights[kernel_name] = (kernel * scale_of_kernel).astype(kernel.dtype)
    weights[bias_name] = ((weights.get(bias_name, 0.0) - mean) * scale + beta).astype(kernel.dtype)
    return dataclasses.replace(before, settings={**before.settings, "use_bias": True})
