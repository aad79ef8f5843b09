"""A decision fitted again on other films."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.errors import DataError
from trainer.data.film import Film
from trainer.evaluation.reading import Readings
from trainer.studies.recalibration import recalibrate
from wetread.models.decision import probabilities

LABELS = ("covid", "normal", "pneumonia")


def readings(patients: int) -> Readings:
    """Return a film a patient, its label drawn by the softmax of a quarter of its logits: four times too sure."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (patients, 3))
    targets = [int(random.choice(3, p=shares)) for shares in probabilities(logits, 1.0)]
    films = tuple(
        Film(path=f"{n}.png".encode(), label=LABELS[target], patient_id=f"p{n}") for n, target in enumerate(targets)
    )
    return Readings(films, LABELS, 4.0 * logits)


def test_probabilities_that_were_too_sure_are_as_sure_as_right_and_the_specificity_is_kept() -> None:
    body = recalibrate(readings(2_000), specificity=0.95).to_json(replicates=50)
    assert body["temperature"] == pytest.approx(4.0, rel=0.1)
    assert body["after"]["ece"] < 0.05 < body["before"]["ece"]
    assert body["before"]["coverage"]["value"] == 1.0, "no thresholds: every film was given a label"
    assert body["after"]["coverage"]["value"] < 1.0
    assert body["after"]["accuracy"]["value"] > body["before"]["accuracy"]["value"]


def test_too_few_patients_of_a_label_fit_no_decision() -> None:
    with pytest.raises(DataError, match="at least 20 patients of each label"):
        recalibrate(readings(55), specificity=0.95)
