from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from schemas.errors import UsageError
from wetread.engine.optimizers.build import OPTIMIZERS, make_optimizer
from wetread.engine.schedules import CosineDecay, ExponentialDecay, PiecewiseConstant


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_goes_down_a_bowl(name: str) -> None:
    W = np.array([3.0, -2.0])
    optimizer = make_optimizer(name, learning_rate={"adadelta": 10.0, "adagrad": 1.0}.get(name, 0.1))
    for _ in range(400):
        optimizer.step(W, 2 * W * [1, 5])
    assert np.abs(W).max() < 0.15
    assert optimizer.iterations == 400


def test_golden_values_of_one_step_by_hand() -> None:
    """From W = 1 and dW = 2, at learning rate 0.1: each rule computed on paper."""
    found = {}
    for name in OPTIMIZERS:
        W = np.array([1.0])
        make_optimizer(name, learning_rate=0.1).step(W, np.array([2.0]))
        found[name] = W[0]
    assert found["sgd"] == pytest.approx(1 - 0.1 * 2)
    assert found["rmsprop"] == pytest.approx(1 - 0.1 * 2 / np.sqrt(0.1 * 4))
    assert found["adagrad"] == pytest.approx(1 - 0.1 * 2 / np.sqrt(0.1 + 4))
    assert found["adadelta"] == pytest.approx(1 - 0.1 * np.sqrt(1e-7) / np.sqrt(0.05 * 4) * 2)
    assert found["adam"] == pytest.approx(1 - 0.1)


def test_an_optimizer_steps_in_place_and_keeps_the_type() -> None:
    for name in OPTIMIZERS:
        W = np.ones(3, np.float32)
        view = W[:]
        optimizer = make_optimizer(name)
        optimizer.step(W, np.ones(3, np.float32))
        assert (view < 1).all(), name
        assert all(slot.dtype == np.float32 for slot in optimizer.slots.values())


def test_settings_are_recorded() -> None:
    assert make_optimizer("sgd", momentum=0.9).settings() == {
        "learning_rate": 0.01,
        "momentum": 0.9,
        "nesterov": False,
    }


def test_unknown_optimizers_and_settings_are_refused() -> None:
    with pytest.raises(UsageError, match="choose one of rmsprop, sgd"):
        make_optimizer("lion")
    with pytest.raises(UsageError, match="momentun"):
        make_optimizer("sgd", momentun=0.9)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ExponentialDecay(0.1, 0, 0.5),
        lambda: CosineDecay(0.1, 0),
        lambda: PiecewiseConstant((3,), (0.1,)),
        lambda: PiecewiseConstant((3, 1), (0.1, 0.2, 0.3)),
    ],
)
def test_senseless_limits_and_schedules_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(UsageError, match="expected"):
        make()


def test_the_cosine_begins_at_zero_peaks_after_the_warmup_and_ends_at_its_floor() -> None:
    schedule = CosineDecay(0.1, steps=10, warmup=5, floor=0.2)
    assert schedule(0) == 0
    assert schedule(5) == pytest.approx(0.1)
    assert schedule(15) == schedule(1000) == pytest.approx(0.02)
