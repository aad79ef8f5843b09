"""Gradients without calculus: the oracle that every backward pass is held to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wetread.engine.array import Array

STEP = 1e-5


def numerical_gradient(loss: Callable[[], float], values: Array) -> Array:
    """Return dloss/dvalues by central differences, changing each element of `values` in place and back."""
    gradient = np.zeros_like(values)
    for place in np.ndindex(values.shape):
        before = values[place]
        values[place] = before + STEP
        above = loss()
        values[place] = before - STEP
        below = loss()
        values[place] = before
        gradient[place] = (above - below) / (2 * STEP)
    return gradient


def relative_error(found: Array, expected: Array) -> float:
    """Return ‖found - expected‖ / (‖found‖ + ‖expected‖), 0 where both vanish."""
    assert found.shape == expected.shape, (found.shape, expected.shape)
    size = np.linalg.norm(found) + np.linalg.norm(expected)
    return 0.0 if size < 1e-9 else float(np.linalg.norm(found - expected) / size)
