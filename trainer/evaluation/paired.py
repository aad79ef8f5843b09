"""Compares two models on the same films: the difference, with its interval.

What is hard for both falls out of the difference: both are weighted by the same draws of patients (the paired
bootstrap; Efron and Tibshirani 1993, chapter 8), so the interval is of the difference itself. Two models whose own
intervals overlap can differ surely; one that holds 0 does not tell them apart.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from schemas.errors import DataError, UsageError
from trainer.evaluation.reading import Readings
from trainer.statistics import figures
from trainer.statistics.figures import Figure, Floats
from trainer.statistics.intervals import REPLICATES, named_estimates


def differences(
    readings: Readings, against: Readings, *, seed: int = 0, replicates: int = REPLICATES
) -> dict[str, Any]:
    """Return `readings` minus `against`: a figure is {"value", "low", "high"}, or null where it is undefined.

    Accuracy, balanced accuracy, macro AUROC, and under "labels" each label's AUROC against the rest.
    Raises DataError unless both are readings of the same films in the same order, with the same labels.
    """
    if [film.path for film in readings.films] != [film.path for film in against.films]:
        raise DataError("expected two models' readings of the same films in the same order, found other films")
    if readings.labels != against.labels:
        raise DataError(
            f"expected the same labels in the same order, found {', '.join(readings.labels)} and "
            f"{', '.join(against.labels)}"
        )
    one, other = _figures(readings), _figures(against)
    between = {name: _difference(one[name], other[name]) for name in one}
    found = named_estimates(between, readings.patients, seed=seed, replicates=replicates)
    labels = {label: {"auroc": found.pop(f"{_AUROC}{label}")} for label in readings.labels}
    return found | {"labels": labels}


def check_labels(labels: tuple[str, ...], others: tuple[str, ...]) -> None:
    """Raise UsageError unless two models tell the same labels apart, in whatever order."""
    if sorted(labels) != sorted(others):
        raise UsageError(
            f"expected two models that tell the same labels apart, found {', '.join(others)} and {', '.join(labels)}"
        )


def relabelled(readings: Readings, labels: tuple[str, ...]) -> Readings:
    """Return the readings with the same labels in this order; raise UsageError when they are others."""
    check_labels(readings.labels, labels)
    return replace(readings, labels=labels, logits=readings.logits[:, [readings.labels.index(one) for one in labels]])


_AUROC = "auroc of "


def _figures(readings: Readings) -> dict[str, Figure]:
    shares, targets = readings.probabilities, readings.targets
    predicted = shares.argmax(axis=1)
    found = {
        "accuracy": figures.accuracy(targets, predicted),
        "balanced_accuracy": figures.balanced_accuracy(targets, predicted, len(readings.labels)),
        "macro_auroc": figures.macro_auroc(targets, shares),
    }
    for index, label in enumerate(readings.labels):
        found[f"{_AUROC}{label}"] = figures.auroc(targets == index, shares[:, index])
    return found


def _difference(one: Figure, other: Figure) -> Figure:
    def figure(weights: Floats) -> Floats:
        return one(weights) - other(weights)

    return figure
