from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.statistics.figures import Booleans, Figure, Floats
from trainer.statistics.selective import COVERAGES, abstention, area_under_risk, risk_at, risk_by_coverage

films = st.lists(st.tuples(st.booleans(), st.integers(0, 3)), min_size=1, max_size=6)


def arrays(rows: list[tuple[bool, int]]) -> tuple[Booleans, Floats]:
    return np.array([wrong for wrong, _ in rows]), np.array([level / 3 for _, level in rows])


def value(figure: Figure, count: int) -> float:
    return float(figure(np.ones((1, count)))[0])


def risks_of_every_order(wrong: Booleans, confidence: Floats) -> Floats:
    """The risk of the 1, 2, ... n surest films, (orders, n), in every order that films of one confidence can have."""
    found = []
    for order in permutations(range(len(wrong))):
        falling = sorted(order, key=lambda film: -confidence[film])
        found.append(np.cumsum(wrong[falling]) / np.arange(1, len(wrong) + 1))
    return np.array(found)


@settings(deadline=None, max_examples=100)
@given(films, st.sampled_from([*COVERAGES, 0.01, 0.34]))
def test_figures_are_the_mean_over_every_order_of_films_of_one_confidence(
    rows: list[tuple[bool, int]], coverage: float
) -> None:
    wrong, confidence = arrays(rows)
    risks = risks_of_every_order(wrong, confidence)
    kept = next(count for count in range(1, len(rows) + 1) if count / len(rows) >= coverage - 1e-12)
    assert value(risk_at(wrong, confidence, coverage), len(rows)) == pytest.approx(risks[:, kept - 1].mean(), abs=1e-9)
    assert value(area_under_risk(wrong, confidence), len(rows)) == pytest.approx(risks.mean(), abs=1e-9)


@settings(deadline=None, max_examples=100)
@given(films, st.sampled_from(COVERAGES), st.integers(0, 1000))
def test_a_weight_of_two_is_the_film_twice(rows: list[tuple[bool, int]], coverage: float, seed: int) -> None:
    wrong, confidence = arrays(rows)
    times = np.random.default_rng(seed).integers(0, 4, size=len(rows))
    times[0] = max(times[0], 1)
    twice_wrong, twice = np.repeat(wrong, times), np.repeat(confidence, times)
    for weighted, repeated in (
        (risk_at(wrong, confidence, coverage), risk_at(twice_wrong, twice, coverage)),
        (area_under_risk(wrong, confidence), area_under_risk(twice_wrong, twice)),
    ):
        found = float(weighted(times[np.newaxis].astype(np.float64))[0])
        assert found == pytest.approx(value(repeated, len(twice)), abs=1e-9)


def test_confidence_that_tells_right_from_wrong_lowers_the_risk_and_one_that_does_not_leaves_it() -> None:
    wrong = np.array([False] * 8 + [True] * 2)
    telling = np.linspace(0.9, 0.4, 10)
    assert value(risk_at(wrong, telling, 1.0), 10) == pytest.approx(0.2)
    assert value(risk_at(wrong, telling, 0.8), 10) == 0.0
    assert value(area_under_risk(wrong, telling), 10) == pytest.approx((1 / 9 + 2 / 10) / 10)
    assert value(area_under_risk(wrong, np.full(10, 0.7)), 10) == pytest.approx(0.2)


def test_points_are_given_with_the_confidence_that_keeps_them() -> None:
    wrong = np.array([False] * 8 + [True] * 2)
    confidence = np.linspace(0.9, 0.45, 10)
    found = abstention(wrong, confidence, [str(n) for n in range(10)], seed=0, replicates=50)
    assert [(point["coverage"], point["films"]) for point in found["points"]] == [
        (1.0, 10), (0.9, 9), (0.8, 8), (0.7, 7), (0.6, 6), (0.5, 5)
    ]  # fmt: skip
    for point in found["points"]:
        kept = confidence >= point["confidence"]
        assert kept.sum() == point["films"]
        assert point["risk"]["value"] == pytest.approx(wrong[kept].mean())
    assert found["area"]["low"] <= found["area"]["value"] <= found["area"]["high"]


def test_the_curve_ends_at_the_error_rate_of_all_films() -> None:
    wrong = np.array([False, True, False, True])
    coverage, risk = risk_by_coverage(wrong, np.array([0.9, 0.8, 0.8, 0.5]))
    assert coverage == pytest.approx([0.25, 0.75, 1.0])
    assert risk == pytest.approx([0.0, 1 / 3, 0.5])
