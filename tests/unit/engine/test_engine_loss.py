from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import DataError
from tests.unit.engine.finite_differences import numerical_gradient, relative_error
from wetread.engine.layers.softmax import softmax
from wetread.engine.loss import SoftmaxCrossEntropy


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 6), st.integers(2, 5), st.floats(0, 0.5), st.booleans(), st.integers(0, 2**31))
def test_loss_is_its_formula_and_the_gradient_its_derivative(
    n: int, classes: int, smoothing: float, weighted: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    Z, labels = rng.normal(scale=3, size=(n, classes)), rng.integers(0, classes, n)
    class_weights = rng.uniform(0.2, 3, classes) if weighted else np.ones(classes)
    loss = SoftmaxCrossEntropy(tuple(class_weights) if weighted else None, smoothing)
    value, dZ = loss(Z, labels)
    Y = np.eye(classes)[labels] * (1 - smoothing) + smoothing / classes
    expected = -(class_weights[labels] * (Y * np.log(softmax(Z))).sum(axis=1)).mean()
    assert value == pytest.approx(expected, rel=1e-9)
    assert relative_error(dZ, numerical_gradient(lambda: loss(Z, labels)[0], Z)) < 1e-6


def test_the_gradient_is_s_minus_y_over_n() -> None:
    Z = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
    _, dZ = SoftmaxCrossEntropy()(Z, np.array([2, 0]))
    np.testing.assert_allclose(dZ, (softmax(Z) - np.array([[0, 0, 1], [1, 0, 0]])) / 2, atol=1e-15)


def test_huge_logits_overflow_nothing() -> None:
    Z = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0]], np.float32)
    value, dZ = SoftmaxCrossEntropy()(Z, np.array([0, 0]))
    assert value == pytest.approx(1e4)
    assert np.isfinite(dZ).all()
    assert dZ.dtype == np.float32


@pytest.mark.parametrize("labels", [[0, 3], [-1, 0], [0], [0, 1, 2]])
def test_labels_that_are_not_classes_of_the_images_are_refused(labels: list[int]) -> None:
    with pytest.raises(DataError, match="expected 2 labels from 0 to 2"):
        SoftmaxCrossEntropy()(np.zeros((2, 3)), np.array(labels))
