"""The small models of the audit: their fit, their features, and how rarely chance alone is blamed."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest

from trainer.audit.film_features import BLOCKS, Look
from trainer.audit.judgement import SUSPECT_ABOVE, UNSAFE_ABOVE
from trainer.audit.shortcuts import LEAST_PATIENTS, find_shortcuts, judged_labels
from trainer.data.dataset import Dataset
from trainer.data.film import Film
from trainer.statistics.one_against_rest import fit_logistic_by_label


def test_the_fit_is_that_of_scikit_learn() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    features = rng.normal(size=(300, 6)) * rng.uniform(0.1, 20, 6) + rng.normal(size=6)
    truths = (features @ rng.normal(size=(6, 2)) + 3 * rng.normal(size=(300, 2)) > 1).astype(np.float64)
    found = fit_logistic_by_label(features, truths, ridge=2.0)
    standardised = (features - features.mean(axis=0)) / features.std(axis=0)
    for label in range(2):
        oracle = linear_model.LogisticRegression(C=0.5, tol=1e-10, max_iter=2000)
        oracle.fit(standardised, truths[:, label])
        assert found.logits(features)[:, label] == pytest.approx(oracle.decision_function(standardised), abs=1e-4)


def test_a_column_that_never_varies_does_no_harm() -> None:
    features = np.column_stack([np.ones(20), np.arange(20.0)])
    logits = fit_logistic_by_label(features, (np.arange(20.0) > 9)[:, None].astype(np.float64)).logits(features)
    assert np.isfinite(logits).all() and logits[0, 0] < 0 < logits[-1, 0]


def look(height: int, rng: np.random.Generator) -> Look:
    blocks = rng.uniform(size=(2, BLOCKS, BLOCKS)).astype(np.float32)
    nothing = np.zeros(0, np.float32)
    return Look("", height, 500, "png", float(rng.uniform(0.4, 0.9)), *blocks, nothing.astype(np.uint8), nothing)


def dataset_of(labels: list[str], rng: np.random.Generator) -> Dataset:
    films = tuple(
        Film(b"%d" % number, label, f"p{number}", MappingProxyType({"source": str(rng.choice(["a", "b", "c"]))}))
        for number, label in enumerate(labels)
    )
    return Dataset(b"/", films, tuple(sorted(set(labels))), patients_known=True)


def test_a_size_in_the_middle_of_the_others_is_seen() -> None:
    rng = np.random.default_rng(0)
    labels = ["sick", "well"] * 40
    heights = [int(rng.integers(390, 410)) if label == "sick" else int(rng.choice([300, 500])) for label in labels]
    found = find_shortcuts(dataset_of(labels, rng), [look(height, rng) for height in heights])
    assert {(one.kind, one.label) for one in found if one.auroc.low > 0.95} == {("size", "sick"), ("size", "well")}


def test_noise_is_not_blamed() -> None:
    """Of 20 sets of noise with 20 patients a label, no figure of any kind has its interval above a threshold."""
    highest = 0.0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        labels = rng.permutation(["covid", "normal", "pneumonia"] * 20).tolist()
        found = find_shortcuts(dataset_of(labels, rng), [look(int(rng.integers(200, 900)), rng) for _ in labels])
        assert {one.kind for one in found} == {"source", "size", "format", "border", "thumbnail"}
        highest = max(highest, *(one.auroc.low for one in found))
    assert highest < SUSPECT_ABOVE < UNSAFE_ABOVE


def test_a_label_is_judged_from_ten_patients_on_both_sides() -> None:
    rng = np.random.default_rng(0)
    labels = ["rare"] * (LEAST_PATIENTS - 1) + ["some"] * LEAST_PATIENTS + ["many"] * 50
    assert judged_labels(dataset_of(labels, rng)) == ("many", "some")
    assert judged_labels(dataset_of(["sick"] * (LEAST_PATIENTS - 1) + ["well"] * 90, rng)) == ()
