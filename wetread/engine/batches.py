"""Mini-batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np

from schemas.errors import DataError
from wetread.engine.array import Array, Labels

Batches: TypeAlias = Callable[[int], Iterator[tuple[Array, Labels]]]
"""Epoch, counted from 0 -> its batches (X (n, h, w, c), labels (n,)); the same epoch gives the same batches."""


def shuffled(X: Array, labels: Labels, *, batch_size: int, seed: int = 0) -> Batches:
    """Return batches of X (n, h, w, c) in an order that depends on seed and epoch alone; the last may be smaller.

    Raises DataError when X and labels differ in length, or are empty.
    """
    if len(X) != len(labels) or len(X) == 0 or batch_size < 1:
        raise DataError(
            f"expected as many labels as images, and batches of 1 or more; found {len(X)} images, "
            f"{len(labels)} labels, batches of {batch_size}"
        )

    def epoch_batches(epoch: int) -> Iterator[tuple[Array, Labels]]:
        order = np.random.default_rng((seed, epoch)).permutation(len(X))
        for start in range(0, len(X), batch_size):
            chosen = order[start : start + batch_size]
            yield X[chosen], labels[chosen]

    return epoch_batches
