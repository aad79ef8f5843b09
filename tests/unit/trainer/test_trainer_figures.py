from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as oracle

from trainer.statistics import figures

N_LABELS = 3
EXACT = 1e-9


@st.composite
def judged(draw: st.DrawFn) -> tuple[figures.Integers, figures.Floats]:
    """Targets and probabilities in which every label occurs; scores of few values, so that many tie."""
    rest = draw(st.lists(st.integers(0, N_LABELS - 1), max_size=40))
    targets = np.array([*range(N_LABELS), *rest])
    levels = draw(st.sampled_from([2, 5, 1000]))
    raw = draw(hnp.arrays(np.int64, (len(targets), N_LABELS), elements=st.integers(0, levels)))
    scores = raw + 0.5
    return targets, scores / scores.sum(axis=1, keepdims=True)


def value(figure: figures.Figure, count: int) -> float:
    return float(figure(np.ones((1, count)))[0])


@settings(deadline=None, max_examples=200)
@given(judged())
def test_every_figure_is_scikit_learns(data: tuple[figures.Integers, figures.Floats]) -> None:
    targets, probabilities = data
    predicted = probabilities.argmax(axis=1)
    count = len(targets)
    assert value(figures.accuracy(targets, predicted), count) == pytest.approx(
        oracle.accuracy_score(targets, predicted), abs=EXACT
    )
    assert value(figures.balanced_accuracy(targets, predicted, N_LABELS), count) == pytest.approx(
        oracle.balanced_accuracy_score(targets, predicted), abs=EXACT
    )
    assert value(figures.macro_auroc(targets, probabilities), count) == pytest.approx(
        oracle.roc_auc_score(targets, probabilities, multi_class="ovr", average="macro"), abs=EXACT
    )
    for label in range(N_LABELS):
        assert value(figures.sensitivity(targets, predicted, label), count) == pytest.approx(
            oracle.recall_score(targets == label, predicted == label), abs=EXACT
        )
        assert value(figures.specificity(targets, predicted, label), count) == pytest.approx(
            oracle.recall_score(targets != label, predicted != label), abs=EXACT
        )
        assert value(figures.auroc(targets == label, probabilities[:, label]), count) == pytest.approx(
            oracle.roc_auc_score(targets == label, probabilities[:, label]), abs=EXACT
        )


@settings(deadline=None, max_examples=100)
@given(judged(), st.integers(0, 1000))
def test_a_weight_of_two_is_the_film_twice(data: tuple[figures.Integers, figures.Floats], seed: int) -> None:
    targets, probabilities = data
    predicted = probabilities.argmax(axis=1)
    times = np.random.default_rng(seed).integers(0, 4, size=len(targets))
    twice_targets, twice = np.repeat(targets, times), np.repeat(probabilities, times, axis=0)
    pairs = [
        (figures.accuracy(targets, predicted), figures.accuracy(twice_targets, twice.argmax(axis=1))),
        (figures.macro_auroc(targets, probabilities), figures.macro_auroc(twice_targets, twice)),
        (
            figures.balanced_accuracy(targets, predicted, N_LABELS),
            figures.balanced_accuracy(twice_targets, twice.argmax(axis=1), N_LABELS),
        ),
    ]
    for weighted, repeated in pairs:
        found = float(weighted(times[None].astype(np.float64))[0])
        assert found == pytest.approx(value(repeated, len(twice_targets)), abs=EXACT, nan_ok=True)


def test_a_figure_without_a_film_to_count_is_undefined() -> None:
    targets, predicted = np.array([0, 0]), np.array([0, 1])
    assert np.isnan(value(figures.sensitivity(targets, predicted, 1), 2))
    assert np.isnan(value(figures.auroc(targets == 0, np.array([0.1, 0.9])), 2))
    assert np.isnan(value(figures.macro_auroc(targets, np.full((2, 2), 0.5)), 2))
    assert value(figures.balanced_accuracy(targets, predicted, 2), 2) == 0.5
    assert np.isnan(value(figures.auroc(np.zeros(0, dtype=bool), np.zeros(0)), 0))
