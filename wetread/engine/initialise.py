"""First weights of a network."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from wetread.engine.array import Array, Shape


def glorot_uniform(shape: Shape, rng: np.random.Generator, dtype: npt.DTypeLike) -> Array:
    """Return weights uniform in [-limit, limit], limit = √(6 / (fan_in + fan_out)).

    A kernel (kh, kw, in, out) has fan_in = kh·kw·in and fan_out = kh·kw·out, a matrix (in, out) has in and
    out: forward signals and backward gradients then keep their variance from layer to layer.
    Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks,
    AISTATS 2010; the fans are Keras's.
    """
    receptive_field = math.prod(shape[:-2])
    limit = math.sqrt(6.0 / (receptive_field * (shape[-2] + shape[-1])))
    return rng.uniform(-limit, limit, size=shape).astype(dtype)
