"""Compares optimizers on the same films: what `wetread compare` does.

Everything but the optimizer is held the same: films, patients on either side, first weights, batches and
their order, loss, schedule, epochs. The held-out patients are the validation side of the split; nothing
is chosen on them here, neither an epoch nor a temperature. Test patients of a split are not read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from schemas.architecture import Architecture
from schemas.errors import DataError, UsageError
from trainer.audit.findings import Audit
from trainer.audit.intake import take_in
from trainer.audit.sides import sides_of
from trainer.data.dataset import Dataset
from trainer.data.pixels import Films
from trainer.data.side import Side
from trainer.data.splits import Split, without_test_patients
from trainer.evaluation.reading import read_by_weights, readings_of
from trainer.shortcuts.panel import PanelReport, make_panel, panel_of
from trainer.statistics import figures
from trainer.statistics.intervals import estimates
from trainer.studies.comparison import Comparison, OptimizerOutcome
from trainer.training.architectures import parameters
from trainer.training.augment import NO_AUGMENTATION
from trainer.training.batches import balanced_weights
from trainer.training.devices import require_engine
from trainer.training.ledger import Ledger
from trainer.training.lesson import LabelledFilms, Report
from trainer.training.libraries import library_versions
from trainer.training.options import TrainingOptions
from trainer.training.recipe import Recipe
from trainer.training.train import train
from wetread.imaging.preprocess import Preprocess

_PANEL = "shortcut panel"
"""Its entry in the ledger; those of optimizers have their rate."""


def compare(
    dataset: Dataset,
    recipe: Recipe,
    optimizers: Sequence[str],
    *,
    rates: Mapping[str, float] | None = None,
    strict: bool = False,
    folder: bytes | None = None,
    processes: int = 2,
    reading: Callable[[int, int], None] | None = None,
    audited: Callable[[Audit], None] | None = None,
    training: Callable[[str], Report] | None = None,
    panel: PanelReport | None = None,
) -> Comparison:
    """Train the recipe's network with each optimizer in turn, and, where it has it, the shortcut panel.

    recipe: its own optimizer and learning rate are replaced; all epochs are trained.
    rates: learning rates by optimizer, for those that shall not have their own default.
    folder: where finished trainings are kept, so that the same call goes on after a kill.
    reading: called with (films read, films in all); audited: with the audit's findings before training; training:
    optimizer -> what is called as it goes on; panel: view of the shortcut panel -> the same.
    Raises DataError and UsageError, before training starts where that can be known, and, where `strict`, UnsafeError
    when the audit finds the data unsafe.
    """
    options = _options_of_each(recipe.options, optimizers, rates or {})
    require_engine(recipe.options)
    read = dataset if recipe.split is None else without_test_patients(dataset, recipe.split)
    _learned(read, recipe.split_of(read))  # what cannot be dealt is said before films are read
    intake = take_in(read, recipe.input_preprocess, processes=processes, progress=reading)
    read = intake.dataset
    split = recipe.split_of(read)
    audit = intake.audit(sides_of(read, split), strict=strict, audited=audited)
    fixed = _fixed(dataset, recipe, split) | {"films_digest": intake.digest}
    ledger = Ledger(fixed, folder)
    contest = _contest(read, recipe, split, intake.films)
    outcomes = {}
    for name, option in options.items():
        entry = f"{name} at {option.optimizer_settings['learning_rate']}"
        if ledger.find(entry) is None:
            ledger.keep(entry, contest.train(name, option, None if training is None else training(name)).to_json())
        outcomes[name] = OptimizerOutcome.from_json(ledger.find(entry))
    shortcuts = _shortcuts(contest, recipe, read, split, ledger, panel) if recipe.panel else None
    patients = {"training": contest.training_patients, "held_out": contest.held_out_patients}
    return Comparison(
        fixed,
        dataset.labels,
        dataset.patients_known,
        {side: len(of_films) for side, of_films in patients.items()},
        {side: len(set(of_films)) for side, of_films in patients.items()},
        outcomes,
        audit,
        shortcuts,
    )


def _shortcuts(
    contest: _Contest, recipe: Recipe, dataset: Dataset, split: Split, ledger: Ledger, report: PanelReport | None
) -> dict[str, Any]:
    """Return what the small network without lungs reaches on the same held-out films.

    Its optimizer and schedule are the default ones: it is a yardstick, the same for every optimizer.
    """
    held_out = split.indices(dataset, Side.VALIDATION)
    nothing_said = readings_of(dataset, held_out, np.zeros((len(held_out), len(dataset.labels))), 1.0)
    if ledger.find(_PANEL) is None:
        plain = replace(recipe, options=replace(recipe.options, schedule="cosine"))
        ledger.keep(_PANEL, make_panel(plain, contest.training, contest.held_out, nothing_said, report).to_record())
    return panel_of(ledger.find(_PANEL), nothing_said).alone_to_json()


@dataclass(frozen=True)
class _Contest:
    """What every optimizer is given. Patients: of each film."""

    architecture: Architecture
    preprocess: Preprocess
    training: LabelledFilms
    held_out: LabelledFilms
    training_patients: tuple[str, ...]
    held_out_patients: tuple[str, ...]

    def train(self, name: str, options: TrainingOptions, report: Report | None) -> OptimizerOutcome:
        """Train with one optimizer; raise DataError naming it when its loss is no longer a number."""
        try:
            trained = train(self.architecture, self.preprocess, self.training, self.held_out, options, report)
        except DataError as error:
            raise DataError(f"{name}: {error}") from error
        logits = read_by_weights(self.architecture, trained.weights, self.preprocess, self.held_out.films)
        figure = figures.accuracy(self.held_out.targets, logits.argmax(axis=1))
        (found,) = estimates([figure], self.held_out_patients)
        if found is None:
            raise DataError("expected films of held-out patients, found none")
        return OptimizerOutcome(options.optimizer_settings, trained.history, found.to_json())


def _learned(dataset: Dataset, split: Split) -> tuple[int, ...]:
    """Return the films to learn from; raise DataError where a label has none."""
    learned = split.indices(dataset, Side.TRAIN)
    balanced_weights(np.array([dataset.targets[index] for index in learned], dtype=np.int64), len(dataset.labels))
    return learned


def _contest(dataset: Dataset, recipe: Recipe, split: Split, films: Films) -> _Contest:
    learned, held_out = _learned(dataset, split), split.indices(dataset, Side.VALIDATION)
    targets = np.array(dataset.targets, dtype=np.int64)
    return _Contest(
        recipe.architecture(len(dataset.labels)),
        recipe.input_preprocess,
        LabelledFilms(films[list(learned)], targets[list(learned)]),
        LabelledFilms(films[list(held_out)], targets[list(held_out)]),
        tuple(dataset.films[index].person for index in learned),
        tuple(dataset.films[index].person for index in held_out),
    )


def _options_of_each(
    options: TrainingOptions, optimizers: Sequence[str], rates: Mapping[str, float]
) -> dict[str, TrainingOptions]:
    """Return each optimizer's options; raise UsageError when there is none, or a rate for one that is not there."""
    if not optimizers:
        raise UsageError("expected optimizers to compare, found none")
    if strange := sorted(set(rates) - set(optimizers)):
        raise UsageError(f"expected learning rates of {', '.join(optimizers)}, found one of {', '.join(strange)}")
    return {name: replace(options, optimizer=name, learning_rate=rates.get(name), patience=None) for name in optimizers}


def _fixed(dataset: Dataset, recipe: Recipe, split: Split) -> dict[str, Any]:
    """Return all that decides the figures but the optimizer."""
    options = recipe.options
    return {
        "engine": options.engine,
        "arch": recipe.arch,
        "size": recipe.size,
        "width": recipe.width,
        "parameters": parameters(recipe.architecture(len(dataset.labels))),
        "epochs": options.epochs,
        "batch_size": options.batch_size,
        "schedule": options.schedule,
        "label_smoothing": options.label_smoothing,
        "class_weights": options.class_weights,
        "augmentation": None if options.augmentation == NO_AUGMENTATION else options.augmentation.to_json(),
        "seed": options.seed,
        "preprocess": recipe.input_preprocess.to_json(),
        "data_digest": dataset.digest,
        "split_digest": split.digest,
        "libraries": library_versions(),
    }
