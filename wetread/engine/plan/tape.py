"""A list of array operations on fixed memory: what a served network is once its batch size is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wetread.engine.array import Array


class Tape:
    """Operations in the order they run, each a function, the arrays it takes and the one that it writes.

    Every array is a view of memory that was laid out once, so that a run makes no array, cuts no slice and
    touches no page that was not touched before: it only calls NumPy. Most functions are NumPy's own, called as
    np.add(A, B, out=C).
    """

    def __init__(self) -> None:
        self._operations: list[tuple[Callable[..., object], tuple[Array, ...], Array]] = []

    def add(self, function: Callable[..., object], *arrays: Array) -> None:
        """Run `function(*arrays[:-1], out=arrays[-1])` after what is on the tape."""
        self._operations.append((function, arrays[:-1], arrays[-1]))

    def copy(self, source: Array, target: Array) -> None:
        """Copy `source` to `target`, an array of the same shape."""
        self.add(_copy, source, target)

    def run(self) -> None:
        """Run all operations."""
        for function, arrays, out in self._operations:
            function(*arrays, out=out)

    def __len__(self) -> int:
        return len(self._operations)


def _copy(source: Array, *, out: Array) -> None:
    np.copyto(out, source)
