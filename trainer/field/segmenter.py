"""The segmenter's network: a small U-Net, from a grey film to the log odds of lung a pixel.

Ronneberger, Fischer and Brox 2015, "U-Net: convolutional networks for biomedical image segmentation". The map is made
at half the film's side and brought to it by bilinear upsampling: an outline is not finer than that.
"""

from __future__ import annotations

from schemas.architecture import Architecture, LayerSpec

SIDE = 128
_WIDTHS = (8, 16, 32, 48, 64)
"""Filters on the way down, from the whole side to a sixteenth of it."""
_WIDTHS_UP = (32, 24, 16)
"""Filters on the way up, from an eighth of the side to half of it."""


def segmenter(side: int = SIDE) -> Architecture:
    """Return the network, 100,000 parameters; the side is a multiple of 16."""
    layers: list[LayerSpec] = []
    for depth, filters in enumerate(_WIDTHS):
        layers += _pool(depth) + _convolution(f"down{depth}", filters)
    for step, filters in enumerate(_WIDTHS_UP):
        depth = len(_WIDTHS) - 2 - step
        up = f"up{depth}"
        layers += [_twice(up), LayerSpec("concatenate", f"join{depth}", {}, (up, f"down{depth}_relu"))]
        layers += _convolution(f"mix{depth}", filters)
    last = {"filters": 1, "kernel_size": [1, 1], "strides": [1, 1], "padding": "same", "use_bias": True}
    return Architecture((side, side, 1), (*layers, LayerSpec("conv2d", "map", last), _twice("odds")))


def _pool(depth: int) -> list[LayerSpec]:
    window = {"pool_size": [2, 2], "strides": [2, 2], "padding": "valid"}
    return [LayerSpec("max_pool2d", f"pool{depth}", window)] if depth else []


def _twice(name: str) -> LayerSpec:
    return LayerSpec("upsample2d", name, {"size": [2, 2], "interpolation": "bilinear"})


def _convolution(name: str, filters: int) -> list[LayerSpec]:
    window = {"kernel_size": [3, 3], "strides": [1, 1], "padding": "same"}
    return [
        LayerSpec("conv2d", name, window | {"filters": filters, "use_bias": False}),
        LayerSpec("batch_norm", f"{name}_norm", {"epsilon": 1e-3, "momentum": 0.9}),
        LayerSpec("relu", f"{name}_relu"),
    ]
