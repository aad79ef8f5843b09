"""Each update rule is Keras's, step by step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from wetread.engine.optimizers.build import OPTIMIZERS, make_optimizer
from wetread.engine.schedules import CosineDecay, ExponentialDecay, PiecewiseConstant

pytestmark = pytest.mark.keras
keras = pytest.importorskip("keras")

STEPS = 20
KERAS_CLASSES = {"sgd": "SGD", "rmsprop": "RMSprop", "adagrad": "Adagrad", "adadelta": "Adadelta", "adam": "Adam"}
SETTINGS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in OPTIMIZERS),
    ("sgd", {"learning_rate": 0.1, "momentum": 0.9}),
    ("sgd", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    ("rmsprop", {"learning_rate": 0.01, "rho": 0.8, "momentum": 0.9}),
    ("rmsprop", {"learning_rate": 0.01, "momentum": 0.5, "centered": True, "epsilon": 1e-3}),
    ("adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.01, "epsilon": 1e-3}),
    ("adadelta", {"learning_rate": 1.0, "rho": 0.9, "epsilon": 1e-3}),
    ("adam", {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}),
    ("adam", {"learning_rate": 0.01, "amsgrad": True}),
]


@pytest.mark.parametrize(("name", "settings"), SETTINGS, ids=str)
@pytest.mark.parametrize("shape", [(7,), (4, 5), (3, 3, 2, 4)], ids=str)
def test_twenty_steps(name: str, settings: dict[str, Any], shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    W = rng.normal(size=shape).astype(np.float32)
    variable = keras.Variable(W)
    ours, theirs = make_optimizer(name, **settings), getattr(keras.optimizers, KERAS_CLASSES[name])(**settings)
    for step in range(STEPS):
        dW = (rng.normal(size=shape) * 10.0 ** rng.integers(-3, 2, shape)).astype(np.float32)
        ours.step(W, dW)
        theirs.apply([dW], [variable])
        np.testing.assert_allclose(W, variable.numpy(), rtol=1e-6, atol=1e-6, err_msg=f"step {step}")


def test_schedules() -> None:
    schedules = keras.optimizers.schedules
    same = [
        (PiecewiseConstant((3, 8), (0.1, 0.01, 0.001)), schedules.PiecewiseConstantDecay([3, 8], [0.1, 0.01, 0.001])),
        (ExponentialDecay(0.1, 5, 0.5), schedules.ExponentialDecay(0.1, 5, 0.5)),
        (ExponentialDecay(0.1, 5, 0.5, staircase=True), schedules.ExponentialDecay(0.1, 5, 0.5, staircase=True)),
        (CosineDecay(0.1, 10), schedules.CosineDecay(0.1, 10)),
        (
            CosineDecay(0.1, 10, warmup=4, floor=0.1),
            schedules.CosineDecay(0.0, 10, alpha=0.1, warmup_target=0.1, warmup_steps=4),
        ),
    ]
    for ours, theirs in same:
        for step in range(20):
            assert ours(step) == pytest.approx(float(theirs(step)), rel=1e-5, abs=1e-8), (ours, step)
