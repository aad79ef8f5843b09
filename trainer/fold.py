"""One fold of a cross-validation: a training, and the readings of those who were held out from it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from trainer.dataset import Dataset
from trainer.deciding import fit_decision
from trainer.pixels import Films
from trainer.reading import Readings, read_by_weights, readings_of
from trainer.recipe import Recipe
from trainer.splits import Side, Split
from trainer.timing import Spent, fit_timed
from trainer.training import LabelledFilms, Report, make_lesson

Sides = Mapping[Side, tuple[int, ...]]
"""Side -> the films on it, by number."""


@dataclass(frozen=True)
class Fold:
    """One training, and the readings of those who were held out from it, at its own temperature and thresholds.

    acquainted: share of the held-out films with a film of the same patient in training or validation; 0 by patient.
    """

    split: Split
    readings: Readings
    thresholds: Mapping[str, float]
    acquainted: float
    best_epoch: int
    spent: Spent

    @property
    def seconds(self) -> float:
        """Of the training and the readings after it."""
        return self.spent.batches + self.spent.steps + self.spent.evaluation

    def to_record(self) -> dict[str, Any]:
        """Return what a ledger keeps of it: all that a training was needed for."""
        return {
            "logits": self.readings.logits.tolist(),
            "temperature": self.readings.temperature,
            "thresholds": dict(self.thresholds),
            "best_epoch": self.best_epoch,
            "spent": asdict(self.spent),
        }


def train_fold(
    dataset: Dataset, recipe: Recipe, films: Films, split: Split, sides: Sides, report: Report | None
) -> Fold:
    """Train on the fold's train side, choose on its validation side, read its test side.

    films: of the whole data set. Raises as `trainer.training.train` does.
    """
    targets = np.array(dataset.targets, dtype=np.int64)
    of_side = {side: LabelledFilms(films[list(chosen)], targets[list(chosen)]) for side, chosen in sides.items()}
    architecture, preprocess = recipe.architecture(len(dataset.labels)), recipe.input_preprocess
    lesson = make_lesson(
        architecture, preprocess, of_side[Side.TRAIN], of_side[Side.VALIDATION], recipe.options, report
    )
    trained, spent = fit_timed(lesson)
    started = time.perf_counter()
    validation, held_out = (
        read_by_weights(architecture, trained.weights, preprocess, of_side[side].films)
        for side in (Side.VALIDATION, Side.TEST)
    )
    spent = replace(spent, evaluation=spent.evaluation + time.perf_counter() - started)
    chosen = of_side[Side.VALIDATION].targets
    decision = fit_decision(validation, chosen, dataset.labels, recipe.specificity)
    how = (decision.temperature, decision.thresholds)
    return _fold(dataset, split, sides, held_out, *how, trained.best_epoch, spent)


def fold_of(record: Mapping[str, Any], dataset: Dataset, split: Split, sides: Sides) -> Fold:
    """Return the fold in what `to_record` made."""
    logits = np.array(record["logits"], dtype=np.float64)
    spent = Spent(**record["spent"])
    how = (record["temperature"], record["thresholds"])
    return _fold(dataset, split, sides, logits, *how, record["best_epoch"], spent)


def _fold(
    dataset: Dataset,
    split: Split,
    sides: Sides,
    logits: np.ndarray,
    temperature: float,
    thresholds: Mapping[str, float],
    best_epoch: int,
    spent: Spent,
) -> Fold:
    readings = readings_of(dataset, sides[Side.TEST], logits, temperature, thresholds)
    known = {dataset.films[index].person for side in (Side.TRAIN, Side.VALIDATION) for index in sides[side]}
    acquainted = float(np.mean([patient in known for patient in readings.patients]))
    return Fold(split, readings, thresholds, acquainted, best_epoch, spent)
