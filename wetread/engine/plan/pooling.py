"""Pooling that does not follow a convolution at once."""

from __future__ import annotations

import numpy as np

from wetread.engine.array import Array
from wetread.engine.plan.feature_map import FeatureMap
from wetread.engine.plan.fusion import Stage
from wetread.engine.plan.memory import Memory, border_of, window_of
from wetread.engine.plan.tape import Tape


def record_max_pool2d(tape: Tape, memory: Memory, stage: Stage) -> None:
    """Put Y = max of each window on the tape; a border of "same" padding never wins."""
    first, *others = _seen(tape, memory.source_map(stage), stage, -np.inf)
    target = memory.new_map(stage.name).inside
    tape.copy(first, target)
    for seen in others:
        tape.add(np.maximum, target, seen, target)


def record_average_pool2d(tape: Tape, memory: Memory, stage: Stage) -> None:
    """Put Y = mean of each window on the tape; a border of "same" padding is not counted."""
    source = memory.source_map(stage)
    first, *others = _seen(tape, source, stage, 0.0)
    target = memory.new_map(stage.name).inside
    tape.copy(first, target)
    for seen in others:
        tape.add(np.add, target, seen, target)
    inside = window_of(stage).pad(np.ones((1, source.height, source.width, 1), np.float32))
    counted = sum(inside[seen] for _, _, seen in window_of(stage).offsets(target.shape[0], target.shape[2]))
    tape.add(np.multiply, target, (1 / np.asarray(counted)).transpose(1, 0, 2, 3), target)


def record_global_average_pool2d(tape: Tape, memory: Memory, stage: Stage) -> None:
    """Put Y (n, c) = mean over all places on the tape."""
    tape.add(_mean_of_places, memory.array(stage.sources[0]), memory.new_vector(stage.name))


def _mean_of_places(maps: Array, *, out: Array) -> None:
    np.mean(maps, axis=(0, 2), out=out)


def _seen(tape: Tape, source: FeatureMap, stage: Stage, fill: float) -> list[Array]:
    """Return what each place of the window sees of the source, (rows, n, columns, c), bordered with `fill`."""
    window = window_of(stage)
    shape = (source.height, source.width, source.channels)
    staged = FeatureMap(source.n, *shape, border_of(stage, shape), fill=fill)
    bordered = source.inside
    if staged.padded.shape != bordered.shape:
        tape.copy(source.inside, staged.inside)
        bordered = staged.padded
    rows, columns = window.output_size(source.height, source.width)
    return [bordered[seen[1], :, seen[2]] for _, _, seen in window.offsets(rows, columns)]
