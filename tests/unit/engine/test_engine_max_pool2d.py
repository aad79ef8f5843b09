from __future__ import annotations

import numpy as np
import pytest

from wetread.engine.layers.max_pool2d import MaxPool2D


@pytest.mark.parametrize("strides", [(2, 2), (1, 1)])
def test_a_tie_gets_its_gradient_once_and_at_its_first_place(strides: tuple[int, int]) -> None:
    pool = MaxPool2D((2, 2), strides)
    pool.build((4, 4, 1), np.random.default_rng(0), np.float64)
    Y = pool.forward(np.zeros((1, 4, 4, 1)))
    dX = pool.backward(np.ones_like(Y))
    assert dX.sum() == Y.size
    first = np.zeros((4, 4))
    first[: strides[0] * Y.shape[1] : strides[0], : strides[1] * Y.shape[2] : strides[1]] = 1
    np.testing.assert_array_equal(dX[0, :, :, 0], first)


def test_a_border_of_same_padding_never_wins() -> None:
    pool = MaxPool2D((2, 2), (2, 2), "same")
    pool.build((3, 3, 1), np.random.default_rng(0), np.float64)
    assert pool.forward(np.full((1, 3, 3, 1), -7.0)).max() == -7
