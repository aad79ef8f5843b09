from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import calibration as oracle

from trainer.statistics.calibration import expected_calibration_error
from trainer.statistics.figures import Floats, Integers
from trainer.statistics.reliability import BINS, equal_mass_bins, reliability


def read(count: int, seed: int) -> tuple[Floats, Integers]:
    generator = np.random.default_rng(seed)
    return generator.dirichlet(np.ones(3), count), generator.integers(0, 3, count)


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 12), st.integers(0, 10**6))
def test_the_bins_are_scikit_learns_where_films_divide_evenly(films_a_bin: int, seed: int) -> None:
    probabilities, targets = read(BINS * films_a_bin, seed)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == targets
    accuracies, confidences = oracle.calibration_curve(right, confidence, n_bins=BINS, strategy="quantile")
    found = reliability(probabilities, targets, [str(n) for n in range(len(targets))], seed=0, replicates=40)
    assert [part["n"] for part in found] == [films_a_bin] * BINS
    assert [part["confidence"] for part in found] == pytest.approx(confidences, abs=1e-9)
    assert [part["accuracy"]["value"] for part in found] == pytest.approx(accuracies, abs=1e-9)


@given(st.integers(1, 60))
def test_every_film_is_in_one_bin_and_bins_differ_by_one_film_at_most(count: int) -> None:
    bins = equal_mass_bins(np.random.default_rng(count).random(count))
    sizes = [len(films) for films in bins]
    assert sorted(int(film) for films in bins for film in films) == list(range(count))
    assert min(sizes) > 0 and max(sizes) - min(sizes) <= 1


def test_the_calibration_error_is_the_mean_gap_of_these_bins() -> None:
    probabilities, targets = read(87, 3)
    found = reliability(probabilities, targets, [str(n) for n in range(87)], seed=0, replicates=2)
    gaps = [part["n"] * abs(part["confidence"] - part["accuracy"]["value"]) for part in found]
    assert expected_calibration_error(probabilities, targets) == pytest.approx(sum(gaps) / 87)
