from __future__ import annotations

import numpy as np
import pytest

from benchmarks.paper_loops import LoopCNN
from schemas.architecture import Architecture, LayerSpec
from tests.unit.engine.networks import convolution, dense, pool
from wetread.engine.loss import SoftmaxCrossEntropy
from wetread.engine.network import Network
from wetread.engine.optimizers.sgd import SGD
from wetread.engine.training import train_step


def test_the_engine_takes_the_step_that_loops_over_pixels_take() -> None:
    """The baseline of the benchmark is a correct one, and an oracle that shares no code with the engine."""
    layers = (
        convolution("convolution", 3, padding="valid"),
        LayerSpec("relu", "relu1"),
        pool("pool"),
        LayerSpec("flatten", "flatten"),
        dense("hidden", 5),
        LayerSpec("relu", "relu2"),
        dense("logits", 4),
    )
    loops = LoopCNN(8, filters=3, hidden=5, classes=4)
    rng = np.random.default_rng(1)
    image = rng.normal(size=(8, 8))
    # The loops flatten their maps filter by filter, the engine place by place.
    by_place = loops.W1.reshape(3, 9, 5).transpose(1, 0, 2).reshape(27, 5)
    network = Network(
        Architecture((8, 8, 1), layers),
        {
            "convolution/kernel": loops.kernels.transpose(1, 2, 0)[:, :, None],
            "convolution/bias": loops.kernel_bias,
            "hidden/kernel": by_place,
            "hidden/bias": loops.b1,
            "logits/kernel": loops.W2,
            "logits/bias": loops.b2,
        },
        dtype=np.float64,
    )
    expected = loops.train_on(image, 2, learning_rate=0.3)
    found, _ = train_step(network, image[None, :, :, None], np.array([2]), SGD(0.3), SoftmaxCrossEntropy())
    assert found == pytest.approx(expected)
    weights = network.weights()
    np.testing.assert_allclose(weights["convolution/kernel"][:, :, 0], loops.kernels.transpose(1, 2, 0), atol=1e-12)
    np.testing.assert_allclose(weights["convolution/bias"], loops.kernel_bias, atol=1e-12)
    np.testing.assert_allclose(weights["hidden/kernel"].reshape(9, 3, 5).transpose(1, 0, 2).reshape(27, 5), loops.W1)
    np.testing.assert_allclose(weights["logits/kernel"], loops.W2)
