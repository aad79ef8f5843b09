"""Fits a model's temperature and thresholds again, on a site's own labelled films.

The network stays as it is. The films must be of patients that it did not learn from, and are then spent: figures
of the same films are those of a choice made on them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from schemas.errors import DataError
from trainer.evaluation.decided import decided
from trainer.evaluation.deciding import FittedDecision, fit_decision, said_of
from trainer.evaluation.reading import Readings
from trainer.statistics.calibration import expected_calibration_error
from wetread.models.decision import probabilities

LEAST_PATIENTS = 20
"""Of each label: a threshold that keeps 0.95 of fewer is one patient's film."""


@dataclass(frozen=True)
class Recalibration:
    """The decision that was fitted, and the films as it and the one before read them."""

    fitted: FittedDecision
    before: Readings
    after: Readings

    def to_json(self, **draws: int) -> dict[str, Any]:
        """Return what was fitted, and the figures before and after, all of the films that it was fitted on."""
        return {
            "temperature": self.fitted.temperature,
            "thresholds": dict(self.fitted.thresholds),
            "specificity": self.fitted.specificity,
            "films": len(self.after.films),
            "patients": len(set(self.after.patients)),
            "before": _figures(self.before, **draws),
            "after": _figures(self.after, **draws),
        }


def recalibrate(readings: Readings, specificity: float) -> Recalibration:
    """Fit the decision on `readings`; raise DataError where a label has too few patients for it."""
    for label in readings.labels:
        patients = {film.person for film in readings.films if film.label == label}
        if len(patients) < LEAST_PATIENTS:
            raise DataError(
                f"expected films of at least {LEAST_PATIENTS} patients of each label to fit a decision on, found "
                f"{len(patients)} of {label}; add some, or keep the decision as it was trained"
            )
    fitted = fit_decision(readings.logits, readings.targets, readings.labels, specificity)
    said = said_of(probabilities(readings.logits, fitted.temperature), readings.labels, fitted.thresholds)
    return Recalibration(fitted, readings, replace(readings, temperature=fitted.temperature, said=said))


def _figures(readings: Readings, **draws: int) -> dict[str, Any]:
    whole = readings if readings.said is not None else replace(readings, said=np.ones(len(readings.films), dtype=bool))
    figures = decided(whole, **draws)
    return {
        "ece": expected_calibration_error(readings.probabilities, readings.targets),
        "coverage": None if figures is None else figures["coverage"],
        "accuracy": None if figures is None else figures["accuracy"],
    }
