"""Cross-validation by patient: what `wetread cross-validate` does.

The patients are dealt into folds. Each fold is held out once: a network is trained on the others, less the
validation patients among them, on whom training is stopped and the temperature is fitted. Together the
folds give every film one reading by a network that never saw its patient; the pooled figures are of these.
Two networks can be trained on the same folds, to be compared on the same films.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from trainer.audit.findings import Audit
from trainer.audit.intake import take_in
from trainer.audit.sides import Sides
from trainer.data.dataset import Dataset
from trainer.data.dealing import grouped_folds
from trainer.data.side import Side
from trainer.data.splits import Split
from trainer.shortcuts.panel import Panel, PanelReport, panel_of, pooled_panel
from trainer.studies.crossvalidated import CrossValidation
from trainer.studies.fold import Fold, fold_controls, fold_of, fold_panel, train_fold
from trainer.training.batches import balanced_weights
from trainer.training.devices import require_engine
from trainer.training.ledger import Ledger
from trainer.training.lesson import Report
from trainer.training.libraries import library_versions
from trainer.training.recipe import Recipe


def cross_validate(
    dataset: Dataset,
    recipe: Recipe,
    folds: int,
    *,
    against: str | None = None,
    leaky: bool = False,
    strict: bool = False,
    folder: bytes | None = None,
    processes: int = 2,
    reading: Callable[[int, int], None] | None = None,
    audited: Callable[[Audit], None] | None = None,
    training: Callable[[str], Report] | None = None,
) -> CrossValidation:
    """Train once a fold, as `recipe` says, and read who was held out.

    recipe: `validation` is the share of a fold's other patients; `split`, `test` and `open_test` are not used. Where
    it has the shortcut panel, the small networks are trained in each fold too, once for both networks.
    against: another architecture, trained on the same folds with the same options.
    leaky: deal films instead of patients, to see what a split by image would have claimed.
    folder: where finished folds are kept, so that the same call goes on after a kill.
    reading: called with (films read, films in all); audited: with the audit's findings before training, the folds
    being the sides; training: fold, and what of it is trained -> what is called as it goes on.
    Raises DataError and UsageError before training starts when data, recipe or folds cannot be used, and, where
    `strict`, UnsafeError when the audit finds the data unsafe.
    """
    recipes = [recipe, *([] if against is None else [replace(recipe, arch=against)])]
    require_engine(recipe.options)
    for each in recipes:
        each.architecture(len(dataset.labels))
    _dealt(dataset, recipe, folds, leaky=leaky)  # the same: what cannot be dealt is said now
    started = time.perf_counter()
    intake = take_in(dataset, recipe.input_preprocess, processes=processes, progress=reading)
    dataset = intake.dataset
    splits, sides = _dealt(dataset, recipe, folds, leaky=leaky)
    audit = intake.audit(_held_out_sides(dataset, sides), strict=strict, audited=audited)
    seconds = {"reading": intake.seconds, "audit": time.perf_counter() - started - intake.seconds}
    ledger = Ledger(_setting(dataset, recipe, splits, leaky=leaky, films=intake.digest), folder)
    told = training or _untold
    trained: list[list[Fold]] = [[] for _ in recipes]
    panels: list[Panel] = []
    for number, (split, of_fold) in enumerate(zip(splits, sides, strict=True), start=1):
        fold = f"fold {number}/{folds}"
        for each, found in zip(recipes, trained, strict=True):
            entry = f"fold {number} of {each.arch}"
            if ledger.find(entry) is None:
                report = told(fold if against is None else f"{fold} {each.arch}")
                ledger.keep(entry, train_fold(dataset, each, intake.films, of_fold, report))
            found.append(fold_of(ledger.find(entry), dataset, each, split, of_fold))
        if recipe.panel:
            entry, readings = f"shortcuts of fold {number}", trained[0][-1].readings
            if recipe.preprocess.lung_field is not None:
                panels.append(fold_controls(dataset, recipe, intake.films, of_fold, readings))
                continue
            if ledger.find(entry) is None:
                made = fold_panel(dataset, recipe, intake.films, of_fold, readings, _within(fold, told))
                ledger.keep(entry, made.to_record())
            panels.append(panel_of(ledger.find(entry), readings))
    panel = pooled_panel(panels) if panels else None
    results = [
        CrossValidation(dataset, each, leaky, tuple(found), panel, audit, seconds)
        for each, found in zip(recipes, trained, strict=True)
    ]
    return results[0] if against is None else replace(results[0], against=results[1])


def each_film_a_patient(dataset: Dataset) -> Dataset:
    """Return the data set as if no two films were of one patient; splits of it leak."""
    films = (
        replace(film, patient_id=f"{index}: {film.name}", person_id="") for index, film in enumerate(dataset.films)
    )
    return replace(dataset, films=tuple(films))


def _untold(_training: str) -> None:
    """Do nothing during a training."""


def _within(fold: str, told: PanelReport) -> PanelReport:
    return lambda view: told(f"{fold} {view}")


def _dealt(
    dataset: Dataset, recipe: Recipe, folds: int, *, leaky: bool
) -> tuple[tuple[Split, ...], list[dict[Side, tuple[int, ...]]]]:
    """Return each fold's split and sides; raise DataError when the folds cannot be dealt or trained on."""
    dealt = each_film_a_patient(dataset) if leaky else dataset
    splits = grouped_folds(dealt, folds, validation=recipe.validation, seed=recipe.split_seed)
    sides = [{side: split.indices(dealt, side) for side in Side} for split in splits]
    targets = np.array(dataset.targets, dtype=np.int64)
    for of_fold in sides:
        balanced_weights(targets[list(of_fold[Side.TRAIN])], len(dataset.labels))  # says which label has no film
    return splits, sides


def _held_out_sides(dataset: Dataset, sides: Sequence[dict[Side, tuple[int, ...]]]) -> Sides:
    """Return the fold in which each film is held out: two films in two folds are learned and tested in turn."""
    fold = {index: number for number, of in enumerate(sides, start=1) for index in of[Side.TEST]}
    return tuple(frozenset({f"fold {fold[index]}"}) for index in range(len(dataset)))


def _setting(dataset: Dataset, recipe: Recipe, splits: Sequence[Split], *, leaky: bool, films: str) -> dict[str, Any]:
    """Return all that decides a fold's logits but the architecture."""
    body = recipe.to_json()
    del body["specificity"]  # decides of logits that are kept
    training = {name: value for name, value in body.pop("training").items() if name != "threads"}
    return (
        body
        | training
        | {
            "study": "cross-validate",
            "preprocess": recipe.input_preprocess.to_json(),
            "fractions": recipe.validation,
            "leaky": leaky,
            "data_digest": dataset.digest,
            "films_digest": films,
            "split_digests": [split.digest for split in splits],
            "libraries": library_versions(),
        }
    )
