"""Makes a model with its figures from labelled films: what `wetread train` does.

Read, split by patient, audit, train, fit temperature and thresholds on the validation patients, open
the test patients once, fit the input gate, and put together everything that the artefact holds.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from trainer.audit.findings import Audit
from trainer.audit.intake import take_in
from trainer.audit.sides import sides_of
from trainer.data.dataset import Dataset
from trainer.data.pixels import Films
from trainer.data.side import Side
from trainer.data.splits import Split
from trainer.evaluation.deciding import FittedDecision, fit_decision
from trainer.evaluation.evaluation import evaluate
from trainer.evaluation.reading import Readings, read_by_weights, readings_of
from trainer.gate.evaluation import make_gate
from trainer.shortcuts.controls import make_controls
from trainer.shortcuts.panel import make_panel
from trainer.training.balance import balanced_shares
from trainer.training.devices import require_engine
from trainer.training.lesson import LabelledFilms, Report, Trained
from trainer.training.libraries import library_versions
from trainer.training.recipe import Recipe
from trainer.training.train import train
from wetread.models.artefact import ModelContents
from wetread.models.card import Provenance, checked_name
from wetread.models.gate import Gate


@dataclass(frozen=True)
class Made:
    """A trained model before it is written.

    audit: of the films and the split that it was made from.
    metrics: evaluations by side: "validation" always, "test" where the test patients were opened.
    panel: what shortcuts alone reach on the side that is shown (`trainer.shortcuts.panel`); None where not asked for.
    gate: the input gate and its figures on the side that is shown; None where none was asked for.
    set_aside: films without a plausible lung field: none of them was learned or judged.
    readings: of the side that the plots and the headline show: test where opened, else validation.
    """

    recipe: Recipe
    dataset: Dataset
    split: Split
    audit: Audit
    trained: Trained
    decision: FittedDecision
    metrics: dict[str, Any]
    panel: dict[str, Any] | None
    gate: tuple[Gate, dict[str, Any]] | None
    readings: Readings
    shown: Side
    created_at: datetime
    set_aside: int = 0

    @property
    def provenance(self) -> Provenance:
        """Where the model came from."""
        options = self.recipe.options
        return Provenance(
            engine=options.engine,
            arch=self.recipe.arch,
            seed=options.seed,
            created_at=self.created_at.isoformat(timespec="seconds"),
            data_manifest_digest=self.dataset.digest,
            split_digest=self.split.digest,
            commit=source_commit(),
            libraries=library_versions(),
            extra={
                "recipe": self.recipe.to_json(),
                "patients": self.split.counts(),
                "patients_known": self.dataset.patients_known,
                "best_epoch": self.trained.best_epoch,
                "seconds": round(sum(self.trained.history.seconds), 1),
                "test_opened": self.shown is Side.TEST,
                **({"without_lung_field": self.set_aside} if self.recipe.preprocess.lung_field else {}),
                "audit": self.audit.to_json(with_cases=False),
            },
        )

    def contents(self, documents: dict[str, bytes]) -> ModelContents:
        """Return what the artefact holds, with these documents."""
        return ModelContents(
            name=self.recipe.name,
            architecture=self.recipe.architecture(len(self.dataset.labels)),
            weights=self.trained.weights,
            labels=self.dataset.labels,
            preprocess=self.recipe.input_preprocess,
            provenance=self.provenance,
            gate=None if self.gate is None else self.gate[0].to_json(),
            temperature=self.decision.temperature,
            thresholds=self.decision.thresholds,
            metrics=self.metrics
            | ({} if self.panel is None else {"shortcuts": self.panel})
            | ({} if self.gate is None else {"gate": self.gate[1]}),
            history=self.trained.history.to_json() | {"best_epoch": self.trained.best_epoch},
            documents=documents,
        )


def make_model(
    dataset: Dataset,
    recipe: Recipe,
    *,
    processes: int = 2,
    strict: bool = False,
    reading: Callable[[int, int], None] | None = None,
    audited: Callable[[Audit], None] | None = None,
    training: Report | None = None,
    panel: Callable[[str], Report] | None = None,
    checkpoint: bytes | None = None,
) -> Made:
    """Train a model as `recipe` says.

    reading: called with (films read, films in all).
    audited: called with the audit's findings before training; training: see `trainer.training.train.train`.
    panel: view of the shortcut panel -> what is called as its training goes on.
    checkpoint: see `trainer.training.train.train`.
    Raises DataError and UsageError before training starts when data or recipe cannot be used, and, where
    `strict`, UnsafeError when the audit finds the data unsafe.
    """
    checked_name(recipe.name)
    preprocess, architecture = recipe.input_preprocess, recipe.architecture(len(dataset.labels))
    _sides(dataset, recipe)  # what cannot be dealt is said before films are read, and so is a missing TensorFlow
    require_engine(recipe.options)
    intake = take_in(dataset, preprocess, processes=processes, progress=reading)
    dataset = intake.dataset
    split, shown, indices = _sides(dataset, recipe)
    audit = intake.audit(sides_of(dataset, split), strict=strict, audited=audited)
    films = {side: intake.films[list(chosen)] for side, chosen in indices.items()}
    trained = train(
        architecture,
        preprocess,
        _learned(dataset, indices[Side.TRAIN], films[Side.TRAIN], recipe),
        _labelled(dataset, indices[Side.VALIDATION], films[Side.VALIDATION]),
        recipe.options,
        training,
        checkpoint,
    )
    judged: tuple[Side, ...] = tuple(side for side in indices if side is not Side.TRAIN)
    logits = {side: read_by_weights(architecture, trained.weights, preprocess, films[side]) for side in judged}
    validation = _labelled(dataset, indices[Side.VALIDATION], films[Side.VALIDATION])
    decision = fit_decision(logits[Side.VALIDATION], validation.targets, dataset.labels, recipe.specificity)
    how = (decision.temperature, decision.thresholds)
    readings = {side: readings_of(dataset, indices[side], logits[side], *how) for side in judged}
    metrics = {side.value: evaluate(readings[side]) for side in judged}
    seen = None
    if recipe.panel and preprocess.lung_field is not None:
        learned_films = [dataset.films[index] for index in indices[Side.TRAIN]]
        learned = _learned(dataset, indices[Side.TRAIN], films[Side.TRAIN], recipe)
        seen = make_controls(learned_films, learned, films[shown], readings[shown]).to_json(readings[shown])
    elif recipe.panel:
        learned, held = (_labelled(dataset, indices[side], films[side]) for side in (Side.TRAIN, shown))
        seen = make_panel(recipe, learned, held, readings[shown], panel).to_json(readings[shown])
    gate = None
    if recipe.gate and preprocess.lung_field is None:
        patients = readings[shown].patients
        gate = make_gate(preprocess, films[Side.TRAIN], films[Side.VALIDATION], films[shown], patients, shown)
    return Made(
        recipe,
        dataset,
        split,
        audit,
        trained,
        decision,
        metrics,
        seen,
        gate,
        readings[shown],
        shown,
        datetime.now(UTC),
        intake.set_aside,
    )


def _sides(dataset: Dataset, recipe: Recipe) -> tuple[Split, Side, dict[Side, tuple[int, ...]]]:
    """Return the split, the side that is shown, and the films of the sides that the network reads."""
    split = recipe.split_of(dataset)
    shown = Side.TEST if recipe.open_test and Side.TEST in split.sides.values() else Side.VALIDATION
    return split, shown, {side: split.indices(dataset, side) for side in (Side.TRAIN, Side.VALIDATION, shown)}


def source_commit() -> str | None:
    """Return the commit of this program's source, with a + when files were changed since; None outside a checkout."""
    here, name = os.path.split(os.path.abspath(__file__))
    try:
        _git(here, "ls-files", "--error-unmatch", name)  # installed inside another project's checkout, it is not ours
        commit = _git(here, "rev-parse", "HEAD")
        return commit + ("+" if _git(here, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _learned(dataset: Dataset, indices: tuple[int, ...], films: Films, recipe: Recipe) -> LabelledFilms:
    shares = None if recipe.balance is None else balanced_shares(dataset, indices, recipe.balance)
    return replace(_labelled(dataset, indices, films), shares=shares)


def _labelled(dataset: Dataset, indices: tuple[int, ...], films: Films) -> LabelledFilms:
    return LabelledFilms(films, np.array([dataset.targets[index] for index in indices], dtype=np.int64))


def _git(directory: str, *arguments: str) -> str:
    command = ["git", "-C", directory, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()  # noqa: S603 - our own, fixed words
