"""The gate as it is fitted: on phantoms, against other images, and figures held to scikit-learn's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from schemas.errors import DataError
from schemas.labels import PAPER_LABELS
from trainer.data.pixels import Films
from trainer.gate.evaluation import evaluate_gate
from trainer.gate.film_variants import HANDLED, SPOILED
from trainer.gate.fitting import changed_films, drawn, fit_gate, gate_scores
from trainer.gate.non_films import NON_FILMS, draw_non_film
from trainer.phantoms.archive import phantom
from trainer.statistics.logistic import fit_weighted_logistic
from wetread.imaging.decode import LEAST_SIDE
from wetread.imaging.preprocess import Preprocess
from wetread.models.gate import Gate

PREPROCESS = Preprocess(height=32, width=32, mean=0.5, std=0.25)


def films(first: int, count: int) -> Films:
    seeds = range(first, first + count)
    return np.stack([PREPROCESS.levels(phantom(PAPER_LABELS[seed % 3], seed, 160)) for seed in seeds])


@pytest.fixture(scope="module")
def gate() -> Gate:
    return fit_gate(PREPROCESS, films(0, 40), films(100, 16))


@pytest.fixture(scope="module")
def held_out() -> Films:
    return films(200, 30)


def test_it_passes_films_that_it_has_not_seen_and_refuses_what_is_no_film(gate: Gate, held_out: Films) -> None:
    figures = evaluate_gate(gate, PREPROCESS, held_out, [str(n) for n in range(30)], replicates=50)
    assert figures["false_rejection"]["value"] == 0.0
    assert figures["auroc"]["value"] > 0.98
    assert figures["refused"]["value"] > 0.9
    assert set(figures["handled"]) == set(HANDLED)
    assert max(figure["value"] for figure in figures["handled"].values()) <= 0.1
    assert set(figures["kinds"]) == {*SPOILED, *NON_FILMS}
    assert figures["kinds"]["inverted"]["drawn"] is False
    assert figures["kinds"]["page"]["drawn"] is True
    assert (figures["n"], figures["patients"]) == (30, 30)


def test_the_threshold_is_exceeded_by_no_validation_film_where_there_are_few(gate: Gate) -> None:
    for _, form in changed_films(films(100, 16), HANDLED):
        assert (gate_scores(gate, PREPROCESS, form) <= gate.threshold).all()
    assert gate.threshold >= 0


def test_strange_validation_films_raise_the_threshold_until_they_pass(gate: Gate) -> None:
    strange = 255 - films(100, 16)
    moved = fit_gate(PREPROCESS, films(0, 40), strange)
    assert (moved.weights, moved.bias) == (gate.weights, gate.bias)
    assert (gate_scores(gate, PREPROCESS, strange) > gate.threshold).all()
    assert (gate_scores(moved, PREPROCESS, strange) <= moved.threshold).all()


def test_the_same_films_give_the_same_gate(gate: Gate) -> None:
    assert fit_gate(PREPROCESS, films(0, 40), films(100, 16)) == gate


def test_figures_are_those_of_scikit_learn_and_follow_the_threshold(gate: Gate, held_out: Films) -> None:
    patients = [str(number // 2) for number in range(30)]
    figures = evaluate_gate(gate, PREPROCESS, held_out, patients, replicates=20)
    assert figures["patients"] == 15
    inside = gate_scores(gate, PREPROCESS, held_out)
    outside = {kind: gate_scores(gate, PREPROCESS, form) for kind, form in changed_films(held_out, SPOILED)}
    for kind, scores in outside.items():
        area = roc_auc_score(np.r_[np.zeros(30), np.ones(30)], np.r_[inside, scores])
        assert figures["kinds"][kind]["auroc"]["value"] == pytest.approx(area, abs=1e-12)
        assert figures["kinds"][kind]["refused"]["value"] == np.mean(scores > gate.threshold)
    for threshold, share in ((1e9, 0.0), (-1e9, 1.0)):
        moved = evaluate_gate(replace(gate, threshold=threshold), PREPROCESS, held_out, patients, replicates=20)
        assert (moved["refused"]["value"], moved["false_rejection"]["value"]) == (share, share)
        assert moved["auroc"] == figures["auroc"]


@pytest.mark.parametrize("kind", NON_FILMS)
def test_a_drawing_can_be_decoded_and_is_the_same_again(kind: str) -> None:
    drawing = draw_non_film(kind, 3)
    assert drawing.dtype == np.uint8
    assert min(drawing.shape) >= LEAST_SIDE
    assert drawing.min() < drawing.max()
    np.testing.assert_array_equal(draw_non_film(kind, 3), drawing)
    assert draw_non_film(kind, 4).shape != drawing.shape or (draw_non_film(kind, 4) != drawing).any()


def test_gates_are_judged_by_drawings_that_they_were_not_fitted_on(gate: Gate, held_out: Films) -> None:
    fitted, judged = drawn(PREPROCESS, count=8), drawn(PREPROCESS, count=8, first=1_000_000)
    scores = {kind: gate_scores(gate, PREPROCESS, pictures) for kind, pictures in judged.items()}
    middle = replace(gate, threshold=float(np.median(np.concatenate(list(scores.values())))))
    figures = evaluate_gate(middle, PREPROCESS, held_out, [str(n) for n in range(30)], replicates=20)
    refused = {kind: figures["kinds"][kind]["refused"]["value"] for kind in scores}
    assert refused == {kind: np.mean(of > middle.threshold) for kind, of in scores.items()}
    seen = {picture.tobytes() for pictures in fitted.values() for picture in pictures}
    assert not seen & {picture.tobytes() for pictures in judged.values() for picture in pictures}


def test_the_logistic_regression_is_scikit_learns() -> None:
    random = np.random.default_rng(0)
    inputs, positive = random.normal(size=(200, 5)), random.random(200) < 0.4
    shares = random.random(200)
    shares /= shares.sum()
    weights, bias = fit_weighted_logistic(inputs, positive, shares, 0.05)
    theirs = LogisticRegression(C=1 / 0.05, tol=1e-10, max_iter=1000).fit(inputs, positive, sample_weight=shares)
    np.testing.assert_allclose(weights, theirs.coef_[0], atol=1e-6)
    assert bias == pytest.approx(theirs.intercept_[0], abs=1e-6)


def test_one_kind_alone_cannot_be_told_apart() -> None:
    with pytest.raises(DataError, match="one kind alone"):
        fit_weighted_logistic(np.zeros((3, 2)), np.ones(3, bool), np.full(3, 1 / 3), 0.1)
