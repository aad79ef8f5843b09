"""Brightness and contrast of films as the network sees them, to compare one night with others."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from wetread.imaging.preprocess import Preprocess


def exposures(images: npt.NDArray[np.floating[Any]], preprocess: Preprocess) -> list[tuple[float, float]]:
    """Return (mean, standard deviation) of each image's grey levels, from 0 to 255.

    images: (n, h, w, 1) as `preprocess` made them; its scale is taken off again, so that models with different scales
    and the same steps before it give the same figures.
    """
    slope, offset = 255 * preprocess.std, 255 * preprocess.mean
    means = images.mean(axis=(1, 2, 3)) * slope + offset
    deviations = images.std(axis=(1, 2, 3)) * slope
    return list(zip(means.tolist(), deviations.tolist(), strict=True))
