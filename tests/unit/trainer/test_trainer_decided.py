"""The figures of a decision are plain shares of the films, with uncertain ones called by no label."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.data.film import Film
from trainer.evaluation.decided import decided
from trainer.evaluation.reading import Readings

LABELS = ("covid", "normal")


def _readings(said: list[bool] | None) -> Readings:
    # True labels: covid, covid, normal, normal, normal; most probable: covid, normal, normal, normal, covid.
    truth = ["covid", "covid", "normal", "normal", "normal"]
    films = tuple(Film(b"%d.png" % n, label, f"p{n}") for n, label in enumerate(truth))
    logits = np.array([[2.0, 0.0], [0.0, 1.0], [0.0, 2.0], [0.0, 3.0], [0.5, 0.0]])
    return Readings(films, LABELS, logits, said=None if said is None else np.array(said))


def test_readings_without_thresholds_have_no_decision() -> None:
    assert decided(_readings(None)) is None


def test_the_figures_are_the_shares_that_they_say() -> None:
    found = decided(_readings([True, False, True, True, True]), seed=0, replicates=10)
    assert found is not None
    assert (found["n"], found["said"]) == (5, 4)
    assert found["coverage"]["value"] == pytest.approx(4 / 5)
    assert found["accuracy"]["value"] == pytest.approx(3 / 4)
    covid, normal = found["labels"]["covid"], found["labels"]["normal"]
    assert (covid["called"], normal["called"]) == (2, 2)
    assert covid["sensitivity"]["value"] == pytest.approx(1 / 2)
    assert covid["specificity"]["value"] == pytest.approx(2 / 3)
    assert covid["precision"]["value"] == pytest.approx(1 / 2)
    assert normal["specificity"]["value"] == pytest.approx(1.0)
    assert normal["precision"]["value"] == pytest.approx(1.0)


def test_a_part_keeps_its_decisions() -> None:
    part = _readings([True, False, True, True, True]).part([1, 4])
    assert part.said is not None
    assert part.said.tolist() == [False, True]
