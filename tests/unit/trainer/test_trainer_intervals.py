from __future__ import annotations

import math

import numpy as np
import pytest

from trainer.statistics import figures
from trainer.statistics.intervals import Estimate, estimates
from trainer.statistics.operating_points import sensitivity_at
from trainer.statistics.predictive_values import positive_predictive_value
from trainer.statistics.selective import risk_at


def hits(rate: float, patients: int, films_each: int, generator: np.random.Generator) -> tuple[np.ndarray, list[str]]:
    """Films that are right or wrong together, patient by patient."""
    right = generator.random(patients) < rate
    return np.repeat(right, films_each), [f"p{patient}" for patient in range(patients) for _ in range(films_each)]


def accuracy(right: np.ndarray) -> figures.Figure:
    return figures.share(right, np.ones(len(right), dtype=bool))


def assert_nominal(covered: int, studies: int) -> None:
    """Accept what 95 covered in 100 gives in 999 of 1,000 simulations: 3.3 standard deviations of the binomial.

    Two points in 100 below are accepted besides: the percentile interval is a little narrow for so few patients.
    """
    tolerance = 3.29 * math.sqrt(0.95 * 0.05 / studies)
    assert 0.93 - tolerance <= covered / studies <= 0.95 + tolerance, covered / studies


def covers(figure: figures.Figure, patients: list[str], truth: float, seed: int) -> bool:
    (found,) = estimates([figure], patients, seed=seed, replicates=300)
    assert found is not None
    return found.low <= truth <= found.high


def phi(z: float) -> float:
    """The normal distribution function."""
    return 0.5 * math.erfc(-z / math.sqrt(2))


def scored(generator: np.random.Generator, patients: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Two films a patient, alike; scores of those with the label lie 1.5 standard deviations higher."""
    positive = np.repeat(np.arange(patients) % 2 == 0, 2)
    alike = np.repeat(generator.normal(scale=math.sqrt(0.5), size=patients), 2)
    scores = 1.5 * positive + alike + generator.normal(scale=math.sqrt(0.5), size=2 * patients)
    return positive, scores, [f"p{film // 2}" for film in range(2 * patients)]


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    # 400 studies of 80 patients with 3 films each that are right or wrong together. Were films drawn instead of
    # patients, the intervals would be 1.7 times too narrow and cover the truth about 74 times in 100.
    generator = np.random.default_rng(5)
    covered = 0
    for study in range(400):
        right, patients = hits(0.7, 80, 3, generator)
        covered += covers(accuracy(right), patients, 0.7, study)
    assert_nominal(covered, 400)


def test_an_interval_by_film_would_not() -> None:
    generator = np.random.default_rng(5)
    covered = 0
    for study in range(200):
        right, _ = hits(0.7, 80, 3, generator)
        covered += covers(accuracy(right), [f"film {number}" for number in range(240)], 0.7, study)
    assert covered / 200 < 0.85


def test_an_aurocs_interval_covers_the_truth_as_often_as_it_says() -> None:
    generator = np.random.default_rng(6)
    covered = 0
    for study in range(300):
        positive, scores, patients = scored(generator, 80)
        covered += covers(figures.auroc(positive, scores), patients, phi(1.5 / math.sqrt(2)), study)
    assert_nominal(covered, 300)


def test_the_interval_of_a_sensitivity_at_a_specificity_covers_the_truth_wherever_the_threshold_fell() -> None:
    # The threshold that keeps 0.8 of the others lies at 0.8416 standard deviations.
    generator = np.random.default_rng(7)
    covered = 0
    for study in range(300):
        positive, scores, patients = scored(generator, 100)
        covered += covers(sensitivity_at(positive, scores, 0.8), patients, phi(1.5 - 0.8416212336), study)
    assert_nominal(covered, 300)


def test_the_interval_of_a_predictive_value_covers_the_truth_at_another_prevalence() -> None:
    # Half of the films have the label, 0.1 of an archive's do; called above 1.
    generator = np.random.default_rng(8)
    found, others = phi(0.5), phi(-1.0)
    truth = 0.1 * found / (0.1 * found + 0.9 * others)
    covered = 0
    for study in range(300):
        positive, scores, patients = scored(generator, 100)
        called = scores >= 1.0
        figure = positive_predictive_value(
            figures.share(called, positive), figures.share(~called, ~positive), prevalence=0.1
        )
        covered += covers(figure, patients, truth, study)
    assert_nominal(covered, 300)


def test_the_interval_of_a_risk_at_a_coverage_covers_the_truth() -> None:
    # A film of confidence c is wrong 1 - c of the times, c even from 0.5 to 1: the surer half is wrong 1 in 8 times.
    generator = np.random.default_rng(9)
    covered = 0
    for study in range(300):
        confidence = generator.uniform(0.5, 1.0, 200)
        wrong = generator.random(200) > confidence
        covered += covers(risk_at(wrong, confidence, 0.5), [f"p{n}" for n in range(200)], 0.125, study)
    assert_nominal(covered, 300)


def test_films_of_one_patient_are_drawn_together() -> None:
    right = np.array([True, False] * 50)
    alone, together = (
        estimates([accuracy(right)], patients, seed=1)[0]
        for patients in ([f"p{n}" for n in range(100)], [f"p{n // 2}" for n in range(100)])
    )
    assert alone is not None and together is not None
    assert alone.high - alone.low > 0.15
    assert together == Estimate(0.5, 0.5, 0.5)


def test_one_seed_gives_one_interval_whatever_the_size_of_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    right, patients = hits(0.6, 40, 2, np.random.default_rng(1))
    whole = estimates([accuracy(right)], patients, seed=7)
    monkeypatch.setattr("trainer.statistics.intervals._WEIGHTS_AT_ONCE", 1000)
    assert estimates([accuracy(right)], patients, seed=7) == whole


def test_what_is_undefined_has_no_interval() -> None:
    assert estimates([figures.auroc(np.array([True, True]), np.array([0.1, 0.2]))], ["a", "b"]) == [None]
    assert estimates([accuracy(np.zeros(0, dtype=bool))], []) == [None]


def test_a_replicate_that_drew_no_positive_film_is_left_out() -> None:
    (found,) = estimates([figures.auroc(np.array([True, False, False]), np.array([0.9, 0.1, 0.2]))], ["a", "b", "c"])
    assert found == Estimate(1.0, 1.0, 1.0)
