"""How good a model is on films that it has not learned from, with intervals.

Every share and every area has a 95% interval by bootstrap over patients, all over the same draws.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer.evaluation.decided import decided
from trainer.evaluation.parts import by_attribute, overall, within, within_source
from trainer.evaluation.reading import Readings
from trainer.statistics import figures
from trainer.statistics.calibration import brier_score, expected_calibration_error
from trainer.statistics.figures import Integers
from trainer.statistics.intervals import REPLICATES, named_estimates
from trainer.statistics.operating_points import SPECIFICITY, operating_point
from trainer.statistics.predictive_values import PREVALENCE, negative_predictive_value, positive_predictive_value
from trainer.statistics.reliability import reliability
from trainer.statistics.selective import abstention
from wetread.models.decision import probabilities

GROUPED_BY = ("source", "view", "sex")
"""The attributes of films by which results are given, where the manifest has them."""


def evaluate(
    readings: Readings,
    *,
    specificity: float = SPECIFICITY,
    prevalence: float = PREVALENCE,
    seed: int = 0,
    replicates: int = REPLICATES,
) -> dict[str, Any]:
    """Return the evaluation as `wetread evaluate --json` prints it.

    specificity: that operating points keep. prevalence: of each label in turn, for predictive values.

    A figure is {"value", "low", "high"}, or null where it is undefined, such as the AUROC of a label that
    does not occur. `confusion` has a row a true label and a column a predicted one.
    """
    draws = {"seed": seed, "replicates": replicates}
    shares, targets, patients = readings.probabilities, readings.targets, readings.patients
    predicted = shares.argmax(axis=1)
    unscaled = probabilities(readings.logits, 1.0)
    return {
        "n": len(readings.films),
        "patients": len(set(patients)),
        **overall(readings, **draws),
        "labels": {
            label: _of_label(readings, index, prevalence, **draws) for index, label in enumerate(readings.labels)
        },
        "confusion": confusion(targets, predicted, len(readings.labels)),
        "ece": expected_calibration_error(shares, targets),
        "brier": brier_score(shares, targets),
        "temperature": readings.temperature,
        "before_temperature": {
            "ece": expected_calibration_error(unscaled, targets),
            "brier": brier_score(unscaled, targets),
        },
        "reliability": reliability(shares, targets, patients, **draws),
        "stated": {"specificity": specificity, "prevalence": prevalence},
        "operating_points": {
            label: operating_point(
                targets == index,
                shares[:, index],
                patients,
                specificity=specificity,
                prevalence=prevalence,
                **draws,
            )
            for index, label in enumerate(readings.labels)
        },
        "decision": decided(readings, **draws),
        "abstention": abstention(predicted != targets, shares.max(axis=1), patients, **draws),
        "by": {name: parts for name in GROUPED_BY if (parts := by_attribute(readings, name, **draws))},
        "within_source": within_source(readings, **draws),
        "within_view": within(readings, "view", **draws)
        if any("view" in film.attributes for film in readings.films)
        else {},
        "interval": {"level": 0.95, "method": "bootstrap over patients", **draws},
    }


def confusion(targets: Integers, predicted: Integers, classes: int) -> list[list[int]]:
    """Return how many films of each true label (row) were given each label (column)."""
    counts = np.bincount(targets * classes + predicted, minlength=classes * classes)
    return [[int(count) for count in row] for row in counts.reshape(classes, classes)]


def _of_label(readings: Readings, label: int, prevalence: float, **draws: int) -> dict[str, Any]:
    shares, targets = readings.probabilities, readings.targets
    predicted = shares.argmax(axis=1)
    found, spared = figures.sensitivity(targets, predicted, label), figures.specificity(targets, predicted, label)
    return {"n": int((targets == label).sum())} | named_estimates(
        {
            "sensitivity": found,
            "specificity": spared,
            "auroc": figures.auroc(targets == label, shares[:, label]),
            "ppv": positive_predictive_value(found, spared, prevalence),
            "npv": negative_predictive_value(found, spared, prevalence),
        },
        readings.patients,
        **draws,
    )
