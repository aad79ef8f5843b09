"""Gradients kept from exploding."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from schemas.errors import UsageError
from wetread.engine.array import Array

Clip = Callable[[Array], None]
"""Changes a gradient vector in place before the optimizer sees it."""


def clip_by_norm(limit: float) -> Clip:
    """Return a clip dW ← dW · min(1, limit / ‖dW‖): the whole gradient's length is at most `limit`.

    Over all parameters together, which Keras calls global_clipnorm: the direction is kept.
    Source: Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, ICML 2013.
    """
    return partial(_clip_by_norm, limit=_positive(limit))


def clip_by_value(limit: float) -> Clip:
    """Return a clip that keeps each element of dW in [-limit, limit], which Keras calls clipvalue."""
    return partial(_clip_by_value, limit=_positive(limit))


def _clip_by_norm(dW: Array, *, limit: float) -> None:
    norm = float(np.linalg.norm(dW))
    if norm > limit:
        dW *= limit / norm


def _clip_by_value(dW: Array, *, limit: float) -> None:
    np.clip(dW, -limit, limit, out=dW)


def _positive(limit: float) -> float:
    if not limit > 0:
        raise UsageError(f"expected a gradient limit above 0, found {limit}")
    return limit
