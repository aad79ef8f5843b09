"""The paper's way to train a CNN in NumPy, as a baseline: a loop a pixel, one image a step.

A convolution, ReLU, max pooling and two dense layers, forward and backward, with plain SGD, written as such code
is usually written: every output pixel of every filter is a sum of its own. Correct, where the paper's is not (its
filters are drawn anew at each pass, and a tie in a maximum gets the gradient several times), and as slow.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class LoopCNN:
    """Images (side, side) to `classes` logits: `filters` 3x3 filters, 2x2 pooling, a hidden dense layer."""

    def __init__(self, side: int, filters: int, hidden: int, classes: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.pooled_side = (side - 2) // 2
        features = self.pooled_side**2 * filters
        self.kernels = rng.normal(0, 1 / 3, (filters, 3, 3))
        self.kernel_bias = np.zeros(filters)
        self.W1 = rng.normal(0, np.sqrt(2 / features), (features, hidden))
        self.b1 = np.zeros(hidden)
        self.W2 = rng.normal(0, np.sqrt(2 / hidden), (hidden, classes))
        self.b2 = np.zeros(classes)

    def train_on(self, image: Any, label: int, learning_rate: float) -> float:
        """Take one step on one image; return its loss."""
        maps = self._convolve(image)
        active = np.maximum(maps, 0)
        pooled, winners = self._pool(active)
        flat = pooled.reshape(-1)
        z1 = flat @ self.W1 + self.b1
        a1 = np.maximum(z1, 0)
        z2 = a1 @ self.W2 + self.b2
        S = np.exp(z2 - z2.max())
        S /= S.sum()
        dz2 = S.copy()
        dz2[label] -= 1
        dz1 = (self.W2 @ dz2) * (z1 > 0)
        dflat = self.W1 @ dz1
        dmaps = self._unpool(dflat.reshape(pooled.shape), winners, maps.shape) * (maps > 0)
        dkernels = self._kernel_gradient(image, dmaps)
        self.W2 -= learning_rate * np.outer(a1, dz2)
        self.b2 -= learning_rate * dz2
        self.W1 -= learning_rate * np.outer(flat, dz1)
        self.b1 -= learning_rate * dz1
        self.kernels -= learning_rate * dkernels
        self.kernel_bias -= learning_rate * dmaps.sum(axis=(1, 2))
        return float(-np.log(max(S[label], 1e-300)))

    def _convolve(self, image: Any) -> Any:
        rows, columns = image.shape[0] - 2, image.shape[1] - 2
        maps = np.zeros((len(self.kernels), rows, columns))
        for f, kernel in enumerate(self.kernels):
            for y in range(rows):
                for x in range(columns):
                    maps[f, y, x] = np.sum(image[y : y + 3, x : x + 3] * kernel) + self.kernel_bias[f]
        return maps

    def _pool(self, maps: Any) -> tuple[Any, list[tuple[int, int, int]]]:
        pooled = np.zeros((len(maps), self.pooled_side, self.pooled_side))
        winners = []
        for f in range(len(maps)):
            for y in range(self.pooled_side):
                for x in range(self.pooled_side):
                    window = maps[f, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2]
                    i, j = np.unravel_index(np.argmax(window), (2, 2))
                    pooled[f, y, x] = window[i, j]
                    winners.append((f, 2 * y + int(i), 2 * x + int(j)))
        return pooled, winners

    def _unpool(self, dpooled: Any, winners: list[tuple[int, int, int]], shape: tuple[int, ...]) -> Any:
        dmaps = np.zeros(shape)
        for place, gradient in zip(winners, dpooled.reshape(-1), strict=True):
            dmaps[place] += gradient
        return dmaps

    def _kernel_gradient(self, image: Any, dmaps: Any) -> Any:
        dkernels = np.zeros_like(self.kernels)
        for f in range(len(dmaps)):
            for y in range(dmaps.shape[1]):
                for x in range(dmaps.shape[2]):
                    dkernels[f] += image[y : y + 3, x : x + 3] * dmaps[f, y, x]
        return dkernels
