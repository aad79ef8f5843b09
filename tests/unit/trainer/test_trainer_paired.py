"""The paired interval is the bootstrap of the difference, covers the truth, and is nothing between equals."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from schemas.errors import DataError, UsageError
from trainer.data.film import Film
from trainer.evaluation.paired import differences, relabelled
from trainer.evaluation.reading import Readings

LABELS = ("a", "b", "c")


def drawn(patients: int, seed: int, *, skill: float = 1.0, other_skill: float = 1.0) -> tuple[Readings, Readings]:
    """Two models on the films of some patients, one to three each, of one label a patient.

    What is hard about a patient is hard for both; beyond that each has a fault of its own.
    """
    generator = np.random.default_rng(seed)
    of_patient = np.repeat(np.arange(patients), generator.integers(1, 4, patients))
    label = generator.integers(0, 3, patients)[of_patient]
    hard = generator.normal(0, 1.5, (patients, 3))[of_patient]
    films = tuple(
        Film(f"{number}.png".encode(), LABELS[label[number]], f"p{who}", MappingProxyType({}))
        for number, who in enumerate(of_patient)
    )
    one, other = (
        strength * 2.0 * np.eye(3)[label] + hard + generator.normal(0, 0.7, hard.shape)
        for strength in (skill, other_skill)
    )
    return Readings(films, LABELS, one), Readings(films, LABELS, other)


def by_hand(readings: Readings, weights: np.ndarray) -> dict[str, float]:
    """The figures of films that are there so many times, each written out as often."""
    chosen = np.repeat(np.arange(len(weights)), weights)
    targets, shares = readings.targets[chosen], readings.probabilities[chosen]
    right = shares.argmax(axis=1) == targets
    areas = [roc_auc_score(targets == label, shares[:, label]) for label in range(3)]
    return {
        "accuracy": float(right.mean()),
        "balanced_accuracy": float(np.mean([right[targets == label].mean() for label in range(3)])),
        "macro_auroc": float(np.mean(areas)),
        "a": float(areas[0]),
    }


def test_the_interval_is_that_of_a_direct_bootstrap_of_the_difference() -> None:
    one, other = drawn(40, seed=1, other_skill=0.5)
    found = differences(one, other, seed=7, replicates=80)
    names, patient_of = np.unique(one.patients, return_inverse=True)
    draws = np.random.default_rng(7).multinomial(len(names), np.full(len(names), 1 / len(names)), size=80)
    spread = [
        {name: by_hand(one, weights)[name] - value for name, value in by_hand(other, weights).items()}
        for weights in draws[:, patient_of]
    ]
    once = np.ones(len(one.films), dtype=int)
    flat = {**found, "a": found["labels"]["a"]["auroc"]}
    for name, value in by_hand(one, once).items():
        low, high = np.percentile([draw[name] for draw in spread], (2.5, 97.5))
        expected = {"value": value - by_hand(other, once)[name], "low": low, "high": high}
        assert flat[name] == pytest.approx(expected), name
    assert set(found["labels"]) == set(LABELS)


def test_it_covers_the_truth_about_as_often_as_it_says() -> None:
    truth = differences(*drawn(20_000, seed=0, other_skill=0.6), replicates=2)
    held = {"accuracy": 0, "macro_auroc": 0}
    sets = 200
    for seed in range(1, sets + 1):
        found = differences(*drawn(60, seed=seed, other_skill=0.6), replicates=400)
        for name in held:
            held[name] += found[name]["low"] <= truth[name]["value"] <= found[name]["high"]
    # 95% of 200 is 190, give or take three times 3.1; percentile intervals of 60 patients fall a little short.
    assert all(0.89 <= count / sets <= 0.99 for count in held.values()), held


def test_it_is_narrower_than_the_models_own_intervals_say() -> None:
    one, other = drawn(100, seed=3)
    shuffled = np.random.default_rng(0).permutation(len(one.films))
    paired = differences(one, other)["accuracy"]
    # The same logits dealt to other films of the same label: nothing is hard for both any more.
    mixed = np.empty_like(other.logits)
    for label in range(3):
        rows = np.flatnonzero(other.targets == label)
        mixed[rows] = other.logits[np.array([row for row in shuffled if other.targets[row] == label])]
    unpaired = differences(one, replace(other, logits=mixed))["accuracy"]
    assert paired["high"] - paired["low"] < 0.8 * (unpaired["high"] - unpaired["low"])


def test_identical_models_differ_by_exactly_nothing() -> None:
    one, _ = drawn(30, seed=2)
    found = differences(one, replace(one, logits=one.logits.copy()))
    nothing = {"value": 0.0, "low": 0.0, "high": 0.0}
    assert found == {
        "accuracy": nothing,
        "balanced_accuracy": nothing,
        "macro_auroc": nothing,
        "labels": {label: {"auroc": nothing} for label in LABELS},
    }


def test_the_sign_says_who_is_better() -> None:
    better, worse = drawn(200, seed=4, skill=2.0, other_skill=0.2)
    assert differences(better, worse)["macro_auroc"]["low"] > 0 > differences(worse, better)["macro_auroc"]["high"]


def test_labels_in_another_order_are_brought_into_one() -> None:
    one, _ = drawn(30, seed=5)
    turned = Readings(one.films, ("c", "a", "b"), one.logits[:, [2, 0, 1]])
    assert np.array_equal(relabelled(turned, LABELS).logits, one.logits)
    assert differences(one, relabelled(turned, LABELS))["accuracy"]["high"] == 0.0
    with pytest.raises(UsageError, match="the same labels apart, found a, b, d and c, a, b"):
        relabelled(turned, ("a", "b", "d"))


def test_other_films_are_refused() -> None:
    one, other = drawn(30, seed=6)
    with pytest.raises(DataError, match="the same films in the same order"):
        differences(one, other.part(range(len(other.films) - 1, -1, -1)))
