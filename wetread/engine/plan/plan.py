"""A served network for one batch size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from wetread.engine.array import Array, Shape
from wetread.engine.plan import convolution, elementwise, pooling, upsampling
from wetread.engine.plan.fusion import CONVOLUTIONS, Stage
from wetread.engine.plan.memory import Memory
from wetread.engine.plan.tape import Tape

LARGEST_PART = 32
"""Images at a time, where the cache would hold more: beyond it the cost of a call no longer counts."""

PART_BYTES = 1280 * 1024
"""What the convolution with the widest rows may work on for all images of a part: a second-level cache, or little
more, as not all of it is touched at once."""

RECORDERS: Mapping[str, Callable[[Tape, Memory, Stage], None]] = MappingProxyType(
    {
        "conv2d": convolution.record_conv2d,
        "depthwise_conv2d": convolution.record_depthwise_conv2d,
        "separable_conv2d": convolution.record_separable_conv2d,
        "max_pool2d": pooling.record_max_pool2d,
        "average_pool2d": pooling.record_average_pool2d,
        "global_average_pool2d": pooling.record_global_average_pool2d,
        "dense": elementwise.record_dense,
        "flatten": elementwise.record_flatten,
        "relu": elementwise.record_relu,
        "relu6": elementwise.record_relu6,
        "softmax": elementwise.record_softmax,
        "batch_norm": elementwise.record_batch_norm,
        "dropout": elementwise.record_dropout,
        "add": elementwise.record_add,
        "concatenate": elementwise.record_concatenate,
        "upsample2d": upsampling.record_upsample2d,
    }
)
"""Layer kind, as in `schemas.architecture.LAYER_KINDS`, -> what puts its stage on a tape."""


class InferencePlan:
    """The tape of a network for batches of n images, and its memory.

    stages: from `fuse`; shapes: of every layer's output and of the input, by name; weights: float32, folded.
    """

    def __init__(
        self, stages: Sequence[Stage], shapes: Mapping[str, Shape], weights: Mapping[str, Array], n: int
    ) -> None:
        self.tape = Tape()
        self._memory = Memory(stages, shapes, weights, n)
        self._load = convolution.record_input(self.tape, self._memory)
        for stage in stages:
            RECORDERS[stage.layer.kind](self.tape, self._memory, stage)

    def run(self, X: Array) -> None:
        """Read the images X (n, h, w, c), float32."""
        self._load(X)
        self.tape.run()

    def output(self, name: str) -> Array:
        """Return a copy of a stage's output of the last run, (n, features) or (n, h, w, c)."""
        output = self._memory.array(name)
        return output.copy() if output.ndim == 2 else output.transpose(1, 0, 2, 3).copy()


def images_at_once(stages: Sequence[Stage], shapes: Mapping[str, Shape]) -> int:
    """Return the batch size at which the convolution with the widest rows still works in the cache.

    At a time a convolution holds six rows of pixels and six of sums, in float32 (see `RowFilter`).
    """
    widest = 1
    for stage in stages:
        if stage.layer.kind in CONVOLUTIONS:
            _, width, channels = shapes[stage.sources[0]]
            filters = shapes[stage.layer.name][2]
            widest = max(widest, 6 * width * (channels + filters) * np.dtype(np.float32).itemsize)
    return max(1, min(LARGEST_PART, PART_BYTES // widest))
