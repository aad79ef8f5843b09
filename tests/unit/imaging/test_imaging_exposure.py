"""How films look to the network: levels from 0 to 255, whatever scale the model has."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.imaging.exposure import exposures
from wetread.imaging.preprocess import Preprocess


@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (0.5, 0.25)])
def test_levels_are_given_back_whatever_the_models_scale(mean: float, std: float) -> None:
    preprocess = Preprocess(height=2, width=2, mean=mean, std=std)
    levels = np.array([[[0, 100], [100, 200]], [[7, 7], [7, 7]]], np.uint8)
    (first, second) = exposures(preprocess.scaled(levels)[..., np.newaxis], preprocess)
    assert first == pytest.approx((100.0, 5000**0.5), abs=1e-4)
    assert second == pytest.approx((7.0, 0.0), abs=1e-4)
