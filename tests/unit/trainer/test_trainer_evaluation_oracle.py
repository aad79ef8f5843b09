"""Every figure of an evaluation that scikit-learn has too, read from the JSON that people get."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from trainer.data.film import Film
from trainer.evaluation.evaluation import evaluate
from trainer.evaluation.reading import Readings
from wetread.models.decision import probabilities

LABELS = ("covid", "normal", "pneumonia")
EXACT = 1e-9


@st.composite
def judged(draw: st.DrawFn) -> Readings:
    """Readings in which every label occurs; logits of few values, so that many tie."""
    truth = [*range(len(LABELS)), *draw(st.lists(st.integers(0, len(LABELS) - 1), max_size=40))]
    films = tuple(Film(b"%d.png" % number, LABELS[target], f"p{number // 2}") for number, target in enumerate(truth))
    levels = draw(st.sampled_from([2, 5, 1000]))
    rows = st.lists(st.integers(0, levels), min_size=len(LABELS), max_size=len(LABELS))
    logits = np.array(draw(st.lists(rows, min_size=len(truth), max_size=len(truth)))) * (4.0 / levels)
    return Readings(films, LABELS, logits, draw(st.sampled_from([0.7, 1.0, 2.5])))


def same(found: dict[str, Any] | None, expected: float) -> None:
    """An undefined figure is null here and NaN there."""
    assert (np.nan if found is None else found["value"]) == pytest.approx(expected, abs=EXACT, nan_ok=True)


@settings(deadline=None, max_examples=40)
@given(judged(), st.sampled_from([0.5, 0.8, 0.9, 0.95]), st.sampled_from([0.01, 0.05, 0.3]))
def test_every_figure_of_an_evaluation_is_scikit_learns(
    readings: Readings, specificity: float, prevalence: float
) -> None:
    # So many draws that one at least has what a figure needs.
    found = evaluate(readings, specificity=specificity, prevalence=prevalence, replicates=60)
    truth, shares = readings.targets, probabilities(readings.logits, readings.temperature)
    predicted = shares.argmax(axis=1)
    same(found["accuracy"], oracle.accuracy_score(truth, predicted))
    same(found["balanced_accuracy"], oracle.balanced_accuracy_score(truth, predicted))
    same(found["macro_auroc"], oracle.roc_auc_score(truth, shares, multi_class="ovr"))
    assert found["confusion"] == oracle.confusion_matrix(truth, predicted).tolist()
    for scores, named in ((shares, found), (probabilities(readings.logits, 1.0), found["before_temperature"])):
        brier = oracle.brier_score_loss(truth, scores, labels=[0, 1, 2], scale_by_half=False)
        assert named["brier"] == pytest.approx(brier, abs=EXACT)
    same(found["abstention"]["points"][0]["risk"], oracle.zero_one_loss(truth, predicted))
    for index, label in enumerate(LABELS):
        of_label(found["labels"][label], truth == index, predicted == index, shares[:, index], prevalence)
        operating(found["operating_points"][label], truth == index, shares[:, index], specificity, prevalence)


def of_label(
    found: dict[str, Any], positive: np.ndarray, called: np.ndarray, scores: np.ndarray, prevalence: float
) -> None:
    assert found["n"] == positive.sum()
    same(found["auroc"], oracle.roc_auc_score(positive, scores))
    calls(found, positive, called, prevalence)


def operating(
    found: dict[str, Any], positive: np.ndarray, scores: np.ndarray, specificity: float, prevalence: float
) -> None:
    false_positives, true_positives, _ = oracle.roc_curve(positive, scores, drop_intermediate=False)
    same(found["sensitivity"], true_positives[false_positives <= 1 - specificity + EXACT].max())
    threshold = np.inf if found["threshold"] is None else found["threshold"]
    calls(found["at_threshold"], positive, scores >= threshold, prevalence)


def calls(found: dict[str, Any], positive: np.ndarray, called: np.ndarray, prevalence: float) -> None:
    as_in_the_archive = np.where(positive, prevalence / positive.sum(), (1 - prevalence) / (~positive).sum())
    precision = {"sample_weight": as_in_the_archive, "zero_division": np.nan}
    same(found["sensitivity"], oracle.recall_score(positive, called))
    same(found["specificity"], oracle.recall_score(~positive, ~called))
    same(found["ppv"], oracle.precision_score(positive, called, **precision))
    same(found["npv"], oracle.precision_score(~positive, ~called, **precision))
