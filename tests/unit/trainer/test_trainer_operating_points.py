from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from trainer.statistics.figures import Booleans, Figure, Floats, share
from trainer.statistics.operating_points import operating_point, sensitivity_at, threshold_at
from trainer.statistics.predictive_values import negative_predictive_value, positive_predictive_value

EXACT = 1e-9
SPECIFICITIES = st.sampled_from([0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0]) | st.floats(0.01, 1.0)


@st.composite
def scored(draw: st.DrawFn) -> tuple[Booleans, Floats]:
    """Films with the label and without, and scores of few values, so that many tie."""
    positive = np.array([True, False, *draw(st.lists(st.booleans(), max_size=40))])
    levels = draw(st.sampled_from([2, 5, 1000]))
    scores = draw(st.lists(st.integers(0, levels), min_size=len(positive), max_size=len(positive)))
    return positive, np.array(scores) / levels


def value(figure: Figure, count: int) -> float:
    return float(figure(np.ones((1, count)))[0])


@settings(deadline=None, max_examples=200)
@given(scored(), SPECIFICITIES)
def test_the_sensitivity_at_a_specificity_is_the_best_of_scikit_learns_roc_curve(
    data: tuple[Booleans, Floats], specificity: float
) -> None:
    positive, scores = data
    false_positives, true_positives, _ = oracle.roc_curve(positive, scores, drop_intermediate=False)
    best = true_positives[false_positives <= 1 - specificity + EXACT].max()
    assert value(sensitivity_at(positive, scores, specificity), len(scores)) == pytest.approx(best, abs=EXACT)


@settings(deadline=None, max_examples=200)
@given(scored(), SPECIFICITIES)
def test_the_threshold_is_the_highest_that_is_as_good(data: tuple[Booleans, Floats], specificity: float) -> None:
    positive, scores = data
    threshold = threshold_at(positive, scores, specificity)
    best = value(sensitivity_at(positive, scores, specificity), len(scores))
    if threshold is None:
        assert best == 0
        return
    called = scores >= threshold
    assert threshold in scores
    assert called[positive].mean() == pytest.approx(best)
    assert (~called[~positive]).mean() >= specificity - EXACT
    assert (scores > threshold)[positive].mean() < best


def test_films_of_one_score_are_called_together() -> None:
    # At 0.8 two of ten others are called with one more film of the label: too many for 0.9, few enough for 0.8.
    positive = np.array([True] * 2 + [False] * 10)
    scores = np.array([0.9, 0.8, 0.8, 0.8, *[0.1] * 8])
    assert (threshold_at(positive, scores, 0.9), threshold_at(positive, scores, 0.8)) == (0.9, 0.8)
    assert value(sensitivity_at(positive, scores, 0.9), 12) == 0.5
    assert value(sensitivity_at(positive, scores, 0.8), 12) == 1.0


def test_one_other_film_of_ten_is_allowed_at_nine_tenths() -> None:
    # 1 - 0.9 is a little less than 0.1 in floating point.
    assert threshold_at(np.array([True] + [False] * 10), np.array([0.5, 0.6, *[0.1] * 9]), 0.9) == 0.5


def test_where_no_film_can_be_called_there_is_no_threshold() -> None:
    found = operating_point(
        np.array([True, False, False]), np.array([0.2, 0.9, 0.9]), ["a", "b", "c"],
        specificity=0.9, prevalence=0.1, seed=0, replicates=20,
    )  # fmt: skip
    assert found["threshold"] is None
    assert found["at_threshold"]["sensitivity"]["value"] == 0.0
    assert found["at_threshold"]["specificity"]["value"] == 1.0
    assert found["at_threshold"]["ppv"] is None
    assert found["at_threshold"]["npv"]["value"] == pytest.approx(0.9)


@pytest.mark.parametrize("has_label", [True, False])
def test_a_label_without_films_or_without_others_has_no_operating_point(has_label: bool) -> None:
    found = operating_point(
        np.full(4, has_label), np.array([0.1, 0.2, 0.3, 0.4]), list("abcd"),
        specificity=0.9, prevalence=0.1, seed=0, replicates=20,
    )  # fmt: skip
    assert found["sensitivity"] is None
    assert found["at_threshold"]["ppv"] is None


@settings(deadline=None, max_examples=100)
@given(scored(), SPECIFICITIES, st.integers(0, 1000))
def test_a_weight_of_two_is_the_film_twice(data: tuple[Booleans, Floats], specificity: float, seed: int) -> None:
    positive, scores = data
    times = np.random.default_rng(seed).integers(0, 4, size=len(scores))
    weighted = sensitivity_at(positive, scores, specificity)(times[np.newaxis].astype(np.float64))[0]
    twice = sensitivity_at(np.repeat(positive, times), np.repeat(scores, times), specificity)
    expected = value(twice, int(times.sum())) if times.sum() else float("nan")
    assert weighted == pytest.approx(expected, abs=EXACT, nan_ok=True)


@settings(deadline=None, max_examples=200)
@given(scored(), st.floats(0.001, 0.999), st.floats(0, 1))
def test_predictive_values_are_scikit_learns_precision_on_films_of_that_prevalence(
    data: tuple[Booleans, Floats], prevalence: float, threshold: float
) -> None:
    positive, scores = data
    called = scores >= threshold
    weights = np.where(positive, prevalence / positive.sum(), (1 - prevalence) / (~positive).sum())
    found, spared = share(called, positive), share(~called, ~positive)
    for figure, truth, calls in (
        (positive_predictive_value(found, spared, prevalence), positive, called),
        (negative_predictive_value(found, spared, prevalence), ~positive, ~called),
    ):
        expected = oracle.precision_score(truth, calls, sample_weight=weights, zero_division=np.nan)
        assert value(figure, len(scores)) == pytest.approx(expected, abs=EXACT, nan_ok=True)


def test_predictive_values_by_hand() -> None:
    # Of 1,000 films 50 have the label: 45 of them are called, and 95 of the 950 others.
    found, spared = (lambda weights, at=at: np.full(len(weights), at) for at in (0.9, 0.9))
    assert value(positive_predictive_value(found, spared, 0.05), 1) == pytest.approx(45 / 140)
    assert value(negative_predictive_value(found, spared, 0.05), 1) == pytest.approx(855 / 860)


def test_the_interval_at_a_threshold_does_not_choose_it_again() -> None:
    generator = np.random.default_rng(2)
    positive = np.arange(200) % 2 == 0
    scores = generator.normal(size=200) + 1.5 * positive
    found = operating_point(
        positive, scores, [str(n) for n in range(200)], specificity=0.9, prevalence=0.05, seed=0, replicates=500
    )
    fixed = found["at_threshold"]
    assert fixed["sensitivity"]["value"] == found["sensitivity"]["value"]
    assert fixed["specificity"]["low"] < 0.9 <= fixed["specificity"]["value"]
    # Choosing the threshold is a part of what is not known.
    widths = [interval["high"] - interval["low"] for interval in (fixed["sensitivity"], found["sensitivity"])]
    assert widths[1] > 1.2 * widths[0]
