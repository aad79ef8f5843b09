"""Thresholds come from validation films, keep their specificity there, and say when a film is uncertain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.evaluation.deciding import fit_decision, lowest_threshold, said_of
from wetread.models.decision import Decision, decide, probabilities

LABELS = ("covid", "normal", "pneumonia")
SCORES = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9])), min_size=1, max_size=60)


@given(SCORES, st.floats(0.0, 1.0))
def test_a_threshold_keeps_the_specificity_and_no_lower_one_does(films: list[tuple[bool, float]], asked: float) -> None:
    positive = np.array([is_so for is_so, _ in films])
    scores = np.array([score for _, score in films])
    threshold = lowest_threshold(positive, scores, asked)
    others = scores[~positive]
    allowed = (1 - asked) * len(others) + 1e-9
    assert (others >= threshold).sum() <= allowed
    if threshold > 0:
        assert (others >= np.nextafter(threshold, 0.0)).sum() > allowed


def test_one_of_twenty_films_may_be_called_wrongly_at_a_specificity_of_95_percent() -> None:
    scores = np.linspace(0.05, 1.0, 20)
    threshold = lowest_threshold(np.zeros(20, dtype=bool), scores, 0.95)
    assert (scores >= threshold).sum() == 1


def test_a_specificity_of_0_leaves_no_film_to_a_person() -> None:
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(size=(40, 3)), rng.integers(0, 3, 40)
    fitted = fit_decision(logits, targets, LABELS, 0.0)
    assert dict(fitted.thresholds) == dict.fromkeys(LABELS, 0.0)
    assert said_of(probabilities(logits, fitted.temperature), LABELS, fitted.thresholds).all()


@pytest.mark.parametrize("asked", [0.9, 0.95])
def test_what_is_said_is_what_a_worker_decides(asked: float) -> None:
    rng = np.random.default_rng(1)
    targets = rng.integers(0, 3, 300)
    logits = rng.normal(size=(300, 3)) + 1.5 * np.eye(3)[targets]
    fitted = fit_decision(logits, targets, LABELS, asked)
    decision = Decision("a" * 64, fitted.temperature, fitted.thresholds)
    served = decide(logits, decision, labels=LABELS, sha256s=[f"{n:064d}" for n in range(300)], engine="numpy")
    said = said_of(probabilities(logits, fitted.temperature), LABELS, fitted.thresholds)
    assert [prediction.decision != "uncertain" for prediction in served] == said.tolist()
    assert 0 < said.sum() < 300
    for index, label in enumerate(LABELS):
        called = np.array([prediction.decision == label for prediction in served])
        assert called[targets != index].mean() <= 1 - asked
