"""Upsampling in a plan: two products with the matrices that spread rows and columns."""

from __future__ import annotations

import numpy as np

from wetread.engine.layers.upsample2d import spread
from wetread.engine.plan.fusion import Stage
from wetread.engine.plan.memory import Memory
from wetread.engine.plan.tape import Tape


def record_upsample2d(tape: Tape, memory: Memory, stage: Stage) -> None:
    """Put Y = D X Aᵀ of each image and channel on the tape; see `wetread.engine.layers.upsample2d`."""
    source, target = memory.array(stage.sources[0]), memory.new(stage.name)
    height, n, width, channels = source.shape
    how = stage.layer.settings["interpolation"]
    down = spread(height, target.shape[0] // height, how).astype(np.float32)
    along = spread(width, target.shape[2] // width, how).astype(np.float32)
    together = np.zeros(source.shape, np.float32)  # the source may lie within a border
    taller = np.zeros((len(down), n, width, channels), np.float32)
    wider = np.zeros(target.shape, np.float32)
    tape.copy(source, together)
    tape.add(np.matmul, down, together.reshape(height, -1), taller.reshape(len(down), -1))
    tape.add(np.matmul, along, taller.reshape(-1, width, channels), wider.reshape(-1, len(along), channels))
    tape.copy(wider, target)
