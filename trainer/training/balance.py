"""Weights of films by which an attribute, such as the view, says nothing of the label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from schemas.errors import DataError
from trainer.data.dataset import Dataset


def balanced_shares(dataset: Dataset, indices: Sequence[int], attribute: str) -> npt.NDArray[np.float64]:
    """Return a share a film, their mean 1: every label counts alike in each value of the attribute.

    Raises DataError where a film has no such attribute.
    """
    films = [dataset.films[index] for index in indices]
    if missing := next((film for film in films if attribute not in film.attributes), None):
        raise DataError(f"{missing.name}: expected a {attribute}, which films are balanced by, found none")
    cells = [(film.label, film.attributes[attribute]) for film in films]
    counts = Counter(cells)
    shares = np.array([1 / counts[cell] for cell in cells])
    return np.asarray(shares / shares.mean())
