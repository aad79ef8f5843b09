"""The engine's array type and the names of its axes.

Images and feature maps are NHWC: image of the batch, row, column, channel. Matrices of features are (n, features).
All arrays of one network have one floating type: float32 to train and serve, float64 to check gradients.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
"""A floating-point array, float32 or float64 throughout one network."""

Labels: TypeAlias = npt.NDArray[np.integer[Any]]
"""Class numbers from 0, shape (n,)."""

Shape: TypeAlias = tuple[int, ...]
"""A shape without the batch: (height, width, channels) or (features,)."""
