"""Chooses how a convolution is computed."""

from __future__ import annotations

from collections.abc import Callable

from wetread.engine.array import Array
from wetread.engine.graph import INPUT
from wetread.engine.plan.feature_map import FeatureMap
from wetread.engine.plan.finish import Finish
from wetread.engine.plan.first_convolution import FirstConvolution
from wetread.engine.plan.fusion import Stage
from wetread.engine.plan.memory import Memory, border_of, window_of
from wetread.engine.plan.patch_convolution import PatchConvolution
from wetread.engine.plan.row_convolution import RowConvolution
from wetread.engine.plan.row_depthwise import RowDepthwise
from wetread.engine.plan.strided_depthwise import StridedDepthwise
from wetread.engine.plan.tape import Tape

Load = Callable[[Array], None]


def record_input(tape: Tape, memory: Memory) -> Load:
    """Lay out the input as its first reader wants it; return what loads images X (n, h, w, c) into it.

    A first convolution of one channel goes on the tape here, as it keeps the images in a layout of its own.
    """
    first = memory.stages[0]
    shape = memory.shapes[INPUT]
    if first.layer.kind == "conv2d" and shape[2] == 1 and window_of(first).strides == (1, 1):
        kernel, finish = memory.weights[f"{first.layer.name}/kernel"], _finish(memory, first)
        convolution = FirstConvolution(kernel, border_of(first, shape), (shape[0], shape[1]), memory.n, finish)
        convolution.record(tape)
        return convolution.load
    target = memory.new_map(INPUT)

    def load(X: Array) -> None:
        target.inside[...] = X.transpose(1, 0, 2, 3)

    return load


def record_conv2d(tape: Tape, memory: Memory, stage: Stage) -> None:
    """Put a convolution on the tape: by rows where its stride is 1, else by patches."""
    if stage.name in memory.maps:  # `record_input` has done it
        return
    source, up, shift = _begin(memory, stage)
    kernel, strides = memory.weights[f"{stage.layer.name}/kernel"], window_of(stage).strides
    finish = _finish(memory, stage)
    if strides == (1, 1):
        RowConvolution(source, kernel, up, shift, finish).record(tape)
    else:
        PatchConvolution(source, kernel, strides, up, shift, finish).record(tape)


def record_depthwise_conv2d(tape: Tape, memory: Memory, stage: Stage) -> None:
    """Put a depthwise convolution on the tape."""
    kernel = memory.weights[f"{stage.layer.name}/kernel"]
    _record_depthwise(tape, memory, stage, kernel, None)


def record_separable_conv2d(tape: Tape, memory: Memory, stage: Stage) -> None:
    """Put a depthwise convolution and the 1x1 convolution after it on the tape."""
    kernel = memory.weights[f"{stage.layer.name}/depthwise_kernel"]
    pointwise = memory.weights[f"{stage.layer.name}/pointwise_kernel"][0, 0]
    _record_depthwise(tape, memory, stage, kernel, pointwise)


def _record_depthwise(tape: Tape, memory: Memory, stage: Stage, kernel: Array, pointwise: Array | None) -> None:
    source, up, shift = _begin(memory, stage)
    strides, finish = window_of(stage).strides, _finish(memory, stage)
    if strides == (1, 1) and kernel.shape[3] == 1:
        RowDepthwise(source, kernel, pointwise, up, shift, finish).record(tape)
    else:
        StridedDepthwise(source, kernel, pointwise, strides, up, shift, finish).record(tape)


def _begin(memory: Memory, stage: Stage) -> tuple[FeatureMap, int, int]:
    """Return the stage's source, and the row and column of its padded map where the first window begins."""
    source = memory.source_map(stage)
    border = border_of(stage, memory.shapes[stage.sources[0]])
    return source, source.border.above - border.above, source.border.left - border.left


def _finish(memory: Memory, stage: Stage) -> Finish:
    bias = memory.weights.get(f"{stage.layer.name}/bias")
    return Finish(memory.new_map(stage.name), bias, relu=stage.relu, pool=stage.pool, six=stage.six)
