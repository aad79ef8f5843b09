"""Cross-validation by patient: what `wetread cross-validate` does.

The patients are dealt into folds. Each fold is held out once: a network is trained on the others, less the
validation patients among them, on whom training is stopped and the temperature is fitted. Together the
folds give every film one reading by a network that never saw its patient; the pooled figures are of these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from trainer.batches import balanced_weights
from trainer.calibration import fit_temperature
from trainer.dataset import Dataset
from trainer.dealing import grouped_folds
from trainer.evaluation import evaluate
from trainer.making import library_versions
from trainer.operating_points import SPECIFICITY
from trainer.pixels import Films, load_films
from trainer.predictive_values import PREVALENCE
from trainer.reading import Readings, read_by_weights, readings_of
from trainer.recipe import Recipe
from trainer.splits import Side, Split
from trainer.training import LabelledFilms, Report, train
from wetread.models.keras_runtime import import_keras

LEAKY = "leaky: split by image, not by patient"
"""What every figure of an image-level split is labelled with."""


@dataclass(frozen=True)
class Fold:
    """One training, and the readings of those who were held out from it, at its own temperature.

    acquainted: share of the held-out films with a film of the same patient in training or validation; 0 by patient.
    """

    split: Split
    readings: Readings
    acquainted: float
    best_epoch: int
    seconds: float


@dataclass(frozen=True)
class CrossValidation:
    """The folds of a data set under one recipe."""

    dataset: Dataset
    recipe: Recipe
    leaky: bool
    folds: tuple[Fold, ...]

    @property
    def pooled(self) -> Readings:
        """All held-out readings; logits are divided by their fold's temperature, so that theirs is 1."""
        readings = [fold.readings for fold in self.folds]
        films = tuple(film for part in readings for film in part.films)
        return Readings(films, self.dataset.labels, np.concatenate([of.logits / of.temperature for of in readings]))

    @property
    def warnings(self) -> list[str]:
        """Return why the figures may be too high, in sentences."""
        found = []
        if self.leaky:
            share = np.average(
                [fold.acquainted for fold in self.folds], weights=[len(f.readings.films) for f in self.folds]
            )
            found.append(
                f"{LEAKY}. {share:.0%} of the held-out films have another film of their patient in training or "
                "validation: the figures are too high"
            )
        if not self.dataset.patients_known:
            found.append("the data names no patients: each file is taken for one, and figures may be too high")
        return found

    def to_json(self, *, specificity: float = SPECIFICITY, prevalence: float = PREVALENCE) -> dict[str, Any]:
        """Return the JSON form: the recipe, and figures as `wetread evaluate --json` has them, by fold and pooled.

        specificity, prevalence: as `trainer.evaluation.evaluate` takes them.
        """
        evaluated = partial(evaluate, specificity=specificity, prevalence=prevalence)
        # Pooled logits are scaled already: what they were before is asked of the ones that were not.
        readings = [fold.readings for fold in self.folds]
        unscaled = replace(self.pooled, logits=np.concatenate([part.logits for part in readings]))
        before = evaluate(unscaled, replicates=1)["before_temperature"]
        return {
            "split": LEAKY if self.leaky else "by patient",
            "leaky": self.leaky,
            "warnings": self.warnings,
            "data_digest": self.dataset.digest,
            "arch": self.recipe.arch,
            "recipe": self.recipe.to_json() | {"preprocess": self.recipe.input_preprocess.to_json()},
            "libraries": library_versions(),
            "folds": [
                {
                    "fold": number,
                    "split_digest": fold.split.digest,
                    "acquainted": fold.acquainted,
                    "best_epoch": fold.best_epoch,
                    "seconds": round(fold.seconds, 1),
                    **evaluated(fold.readings),
                }
                for number, fold in enumerate(self.folds, start=1)
            ],
            "pooled": evaluated(self.pooled) | {"temperature": None, "before_temperature": before},
        }


def cross_validate(
    dataset: Dataset,
    recipe: Recipe,
    folds: int,
    *,
    leaky: bool = False,
    processes: int = 2,
    reading: Callable[[int, int], None] | None = None,
    training: Callable[[str], Report] | None = None,
) -> CrossValidation:
    """Train once a fold, as `recipe` says, and read who was held out.

    recipe: `validation` is the share of a fold's other patients; `split`, `test` and `open_test` are not used.
    leaky: deal films instead of patients, to see what a split by image would have claimed.
    reading: called with (films read, films in all); training: fold -> what is called as it goes on.
    Raises DataError and UsageError before training starts when data, recipe or folds cannot be used.
    """
    if recipe.options.engine == "keras":
        import_keras(recipe.options.threads)  # where it is not installed, that is said before films are read
    recipe.architecture(len(dataset.labels))
    dealt = each_film_a_patient(dataset) if leaky else dataset
    splits = grouped_folds(dealt, folds, validation=recipe.validation, seed=recipe.split_seed)
    sides = [{side: split.indices(dealt, side) for side in Side} for split in splits]
    targets = np.array(dataset.targets, dtype=np.int64)
    for of_fold in sides:
        balanced_weights(targets[list(of_fold[Side.TRAIN])], len(dataset.labels))  # says which label has no film
    films = load_films(dataset, recipe.input_preprocess, processes=processes, progress=reading)
    found = [
        _fold(dataset, recipe, films, split, of_fold, None if training is None else training(f"fold {number}/{folds}"))
        for number, (split, of_fold) in enumerate(zip(splits, sides, strict=True), start=1)
    ]
    return CrossValidation(dataset, recipe, leaky, tuple(found))


def each_film_a_patient(dataset: Dataset) -> Dataset:
    """Return the data set as if no two films were of one patient; splits of it leak."""
    films = (replace(film, patient_id=f"{index}: {film.name}") for index, film in enumerate(dataset.films))
    return replace(dataset, films=tuple(films))


def without_test_patients(dataset: Dataset, split: Split) -> Dataset:
    """Return the data set without the films on the split's test side, which stay unread."""
    kept = split.indices(dataset, Side.TRAIN, Side.VALIDATION)
    return replace(dataset, films=tuple(dataset.films[index] for index in kept))


def _fold(
    dataset: Dataset,
    recipe: Recipe,
    films: Films,
    split: Split,
    sides: dict[Side, tuple[int, ...]],
    report: Report | None,
) -> Fold:
    targets = np.array(dataset.targets, dtype=np.int64)
    of_side = {side: LabelledFilms(films[list(chosen)], targets[list(chosen)]) for side, chosen in sides.items()}
    architecture, preprocess = recipe.architecture(len(dataset.labels)), recipe.input_preprocess
    trained = train(architecture, preprocess, of_side[Side.TRAIN], of_side[Side.VALIDATION], recipe.options, report)
    validation, held_out = (
        read_by_weights(architecture, trained.weights, preprocess, of_side[side].films)
        for side in (Side.VALIDATION, Side.TEST)
    )
    temperature = fit_temperature(validation, of_side[Side.VALIDATION].targets)
    readings = readings_of(dataset, sides[Side.TEST], held_out, temperature)
    known = {dataset.films[index].patient_id for side in (Side.TRAIN, Side.VALIDATION) for index in sides[side]}
    acquainted = float(np.mean([patient in known for patient in readings.patients]))
    return Fold(split, readings, acquainted, trained.best_epoch, sum(trained.history.seconds))
