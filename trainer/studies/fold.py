"""One fold of a cross-validation: a training, and the readings of its held-out patients."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from trainer.data.dataset import Dataset
from trainer.data.pixels import Films
from trainer.data.side import Side
from trainer.data.splits import Split
from trainer.evaluation.deciding import fit_decision
from trainer.evaluation.reading import Readings, read_by_weights, readings_of
from trainer.shortcuts.controls import make_controls
from trainer.shortcuts.panel import Panel, PanelReport, make_panel
from trainer.training.balance import balanced_shares
from trainer.training.lesson import LabelledFilms, Report, make_lesson
from trainer.training.recipe import Recipe
from trainer.training.timing import Spent, fit_timed

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


def train_fold(dataset: Dataset, recipe: Recipe, films: Films, sides: Sides, report: Report | None) -> dict[str, Any]:
    """Train on the fold's train side, stop on its validation side, read its test side; return what a ledger keeps.

    That is all a training was needed for: of how the logits are decided, which takes no time, nothing is kept.
    films: of the whole data set. Raises as `trainer.training.train.train` does.
    """
    architecture, preprocess = recipe.architecture(len(dataset.labels)), recipe.input_preprocess
    training, validation, held_out = (
        _labelled(dataset, films, sides[side]) for side in (Side.TRAIN, Side.VALIDATION, Side.TEST)
    )
    if recipe.balance is not None:
        training = replace(training, shares=balanced_shares(dataset, sides[Side.TRAIN], recipe.balance))
    lesson = make_lesson(architecture, preprocess, training, validation, recipe.options, report)
    trained, spent = fit_timed(lesson)
    started = time.perf_counter()
    chosen, judged = (
        read_by_weights(architecture, trained.weights, preprocess, side.films) for side in (validation, held_out)
    )
    spent = replace(spent, evaluation=spent.evaluation + time.perf_counter() - started)
    return {
        "validation": chosen.tolist(),
        "held_out": judged.tolist(),
        "best_epoch": trained.best_epoch,
        "spent": asdict(spent),
    }


def fold_of(record: Mapping[str, Any], dataset: Dataset, recipe: Recipe, split: Split, sides: Sides) -> Fold:
    """Return the fold in what `train_fold` made, decided at the recipe's specificity on its validation films."""
    validation, held_out = (np.array(record[side], dtype=np.float64) for side in ("validation", "held_out"))
    targets = np.array([dataset.targets[index] for index in sides[Side.VALIDATION]], dtype=np.int64)
    decision = fit_decision(validation, targets, dataset.labels, recipe.specificity)
    readings = readings_of(dataset, sides[Side.TEST], held_out, decision.temperature, decision.thresholds)
    known = {dataset.films[index].person for side in (Side.TRAIN, Side.VALIDATION) for index in sides[side]}
    acquainted = float(np.mean([patient in known for patient in readings.patients]))
    return Fold(split, readings, decision.thresholds, acquainted, record["best_epoch"], Spent(**record["spent"]))


def fold_panel(
    dataset: Dataset, recipe: Recipe, films: Films, sides: Sides, readings: Readings, report: PanelReport | None
) -> Panel:
    """Return the shortcut panel of the fold: trained on its train side, of the films that `readings` are of."""
    training, held_out = (_labelled(dataset, films, sides[side]) for side in (Side.TRAIN, Side.TEST))
    return make_panel(recipe, training, held_out, readings, report)


def fold_controls(dataset: Dataset, recipe: Recipe, films: Films, sides: Sides, readings: Readings) -> Panel:
    """Return the controls of a model of lungs, fitted on the fold's train side, of the films that `readings` are of."""
    training = _labelled(dataset, films, sides[Side.TRAIN])
    if recipe.balance is not None:
        training = replace(training, shares=balanced_shares(dataset, sides[Side.TRAIN], recipe.balance))
    learned = [dataset.films[index] for index in sides[Side.TRAIN]]
    return make_controls(learned, training, films[list(sides[Side.TEST])], readings)


def _labelled(dataset: Dataset, films: Films, indices: tuple[int, ...]) -> LabelledFilms:
    targets = np.array([dataset.targets[index] for index in indices], dtype=np.int64)
    return LabelledFilms(films[list(indices)], targets)
