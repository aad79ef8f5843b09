"""The layers of a plan that treat each element alone, and the dense layer."""

from __future__ import annotations

import numpy as np

from wetread.engine.array import Array
from wetread.engine.layers.relu6 import CEILING
from wetread.engine.layers.softmax import softmax
from wetread.engine.plan.fusion import Stage
from wetread.engine.plan.memory import Memory
from wetread.engine.plan.tape import Tape


def record_flatten(tape: Tape, memory: Memory, stage: Stage) -> None:
    """Put the same numbers, image by image and row by row, on the tape."""
    source, target = memory.array(stage.sources[0]), memory.new_vector(stage.name)
    images = source if source.ndim == 2 else source.transpose(1, 0, 2, 3)
    tape.copy(images, target.reshape(images.shape))


def record_dense(tape: Tape, memory: Memory, stage: Stage) -> None:
    """Put Y = X W + bias on the tape."""
    target = memory.new(stage.name)
    tape.add(np.matmul, memory.array(stage.sources[0]), memory.weights[f"{stage.layer.name}/kernel"], target)
    if (bias := memory.weights.get(f"{stage.layer.name}/bias")) is not None:
        tape.add(np.add, target, bias, target)


def record_relu(tape: Tape, memory: Memory, stage: Stage) -> None:
    """Put Y = max(X, 0) on the tape; the zeros are an array, see `Finish`."""
    source = memory.array(stage.sources[0])
    tape.add(np.maximum, source, np.zeros(source.shape[-2:], np.float32), memory.new(stage.name))


def record_relu6(tape: Tape, memory: Memory, stage: Stage) -> None:
    """Put Y = min(max(X, 0), 6) on the tape."""
    record_relu(tape, memory, stage)
    target = memory.array(stage.name)
    tape.add(np.minimum, target, np.full(target.shape[-2:], CEILING, np.float32), target)


def record_batch_norm(tape: Tape, memory: Memory, stage: Stage) -> None:
    """Put Y = X s + (β - μ s), s = γ / √(σ² + ε), on the tape: one that no layer before it could take in."""
    gamma, beta, mean, variance = (
        memory.weights[f"{stage.layer.name}/{name}"] for name in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    scale = gamma / np.sqrt(variance + np.float32(stage.layer.settings["epsilon"]))
    target = memory.new(stage.name)
    tape.add(np.multiply, memory.array(stage.sources[0]), scale, target)
    tape.add(np.add, target, beta - mean * scale, target)


def record_add(tape: Tape, memory: Memory, stage: Stage) -> None:
    """Put Y = A + B on the tape."""
    first, second = (memory.array(name) for name in stage.sources)
    tape.add(np.add, first, second, memory.new(stage.name))


def record_concatenate(tape: Tape, memory: Memory, stage: Stage) -> None:
    """Put the channels of all sources side by side on the tape."""
    target, end = memory.new(stage.name), 0
    for source in (memory.array(name) for name in stage.sources):
        begin, end = end, end + source.shape[-1]
        tape.copy(source, target[..., begin:end])


def record_softmax(tape: Tape, memory: Memory, stage: Stage) -> None:
    """Put Y = softmax(X) on the tape."""
    tape.add(_softmax, memory.array(stage.sources[0]), memory.new(stage.name))


def record_dropout(tape: Tape, memory: Memory, stage: Stage) -> None:
    """Put Y = X on the tape: a dropout that comes first, which folding leaves."""
    tape.copy(memory.array(stage.sources[0]), memory.new(stage.name))


def _softmax(Z: Array, *, out: Array) -> None:
    np.copyto(out, softmax(Z))
