from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from schemas.errors import DataError
from trainer.statistics.calibration import (
    TEMPERATURE_RANGE,
    brier_score,
    expected_calibration_error,
    fit_temperature,
    log_loss,
)
from wetread.models.decision import probabilities


def films(count: int, seed: int, sureness: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Logits that mean what they say, times `sureness`, and targets drawn from their softmax."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(scale=2.0, size=(count, 3))
    targets = np.array([generator.choice(3, p=row) for row in probabilities(logits, 1.0)])
    return logits * sureness, targets


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.integers(1, 50), st.floats(0.3, 5.0))
def test_log_loss_and_brier_are_scikit_learns(seed: int, count: int, temperature: float) -> None:
    logits, targets = films(count, seed)
    shares = probabilities(logits, temperature)
    assert log_loss(logits, targets, temperature) == pytest.approx(
        oracle.log_loss(targets, shares, labels=[0, 1, 2]), abs=1e-9
    )
    assert brier_score(shares, targets) == pytest.approx(
        oracle.brier_score_loss(targets, shares, labels=[0, 1, 2], scale_by_half=False), abs=1e-9
    )


@pytest.mark.parametrize("sureness", [0.7, 1.0, 3.0])
def test_the_temperature_undoes_what_made_the_logits_too_sure(sureness: float) -> None:
    logits, targets = films(4000, seed=1, sureness=sureness)
    temperature = fit_temperature(logits, targets)
    assert temperature == pytest.approx(sureness, rel=0.08)
    assert log_loss(logits, targets, temperature) <= log_loss(logits, targets, temperature * 1.02)
    assert log_loss(logits, targets, temperature) <= log_loss(logits, targets, temperature / 1.02)


def test_faultless_logits_do_not_become_certain() -> None:
    logits = np.eye(3)[[0, 1, 2]] * 20
    assert fit_temperature(logits, np.array([0, 1, 2])) == pytest.approx(TEMPERATURE_RANGE[0])
    assert fit_temperature(logits, np.array([1, 2, 0])) == pytest.approx(TEMPERATURE_RANGE[1])


def test_a_temperature_needs_films() -> None:
    with pytest.raises(DataError, match="found none"):
        fit_temperature(np.zeros((0, 3)), np.zeros(0, dtype=np.int64))


def test_the_calibration_error_is_small_where_probabilities_are_true_and_falls_with_the_temperature() -> None:
    logits, targets = films(5000, seed=2)
    assert expected_calibration_error(probabilities(logits, 1.0), targets) < 0.02
    assert expected_calibration_error(probabilities(logits, 0.3), targets) > 0.1


def test_the_calibration_error_by_hand() -> None:
    # Two bins of two films: (0.6, 0.7) with one right, (0.8, 0.9) with both right.
    shares = np.array([[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.3, 0.7]])
    targets = np.array([0, 1, 0, 1])
    assert expected_calibration_error(shares, targets, bins=2) == pytest.approx((abs(1.3 - 1) + abs(1.7 - 2)) / 4)
