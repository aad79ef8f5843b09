"""What a cross-validation found: by fold, pooled, and against another network on the same folds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from trainer.audit.findings import Audit
from trainer.data.dataset import Dataset
from trainer.evaluation.evaluation import evaluate
from trainer.evaluation.paired import differences
from trainer.evaluation.reading import Readings, pooled
from trainer.shortcuts.panel import Panel
from trainer.statistics.operating_points import SPECIFICITY
from trainer.statistics.predictive_values import PREVALENCE
from trainer.studies.fold import Fold
from trainer.training.architectures import parameters
from trainer.training.libraries import library_versions
from trainer.training.recipe import Recipe

LEAKY = "leaky: split by image, not by patient"
"""What every figure of an image-level split is labelled with."""


@dataclass(frozen=True)
class CrossValidation:
    """The folds of a data set under one recipe.

    panel: what shortcuts alone reach on all held-out films; None where that was not asked.
    audit: of the films, with the folds as sides. seconds: of reading films and of the audit, once for all folds.
    against: another network, trained on the same folds.
    """

    dataset: Dataset
    recipe: Recipe
    leaky: bool
    folds: tuple[Fold, ...]
    panel: Panel | None
    audit: Audit
    seconds: Mapping[str, float]
    against: CrossValidation | None = None

    @property
    def parameters(self) -> int:
        """Numbers in the network's weights."""
        return parameters(self.recipe.architecture(len(self.dataset.labels)))

    @property
    def pooled(self) -> Readings:
        """All held-out readings; logits are divided by their fold's temperature, so that theirs is 1."""
        return pooled([fold.readings for fold in self.folds])

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

        specificity, prevalence: as `trainer.evaluation.evaluation.evaluate` takes them.
        """
        evaluated = partial(evaluate, specificity=specificity, prevalence=prevalence)
        body = {
            "split": LEAKY if self.leaky else "by patient",
            "leaky": self.leaky,
            "warnings": self.warnings,
            "data_digest": self.dataset.digest,
            "audit": self.audit.to_json(with_cases=False),
            "recipe": self.recipe.to_json() | {"preprocess": self.recipe.input_preprocess.to_json()},
            "libraries": library_versions(),
            "seconds": {name: round(seconds, 2) for name, seconds in self.seconds.items()},
            **self._figures(evaluated),
        }
        return body if self.against is None else body | {"against": self._against(self.against, evaluated)}

    def _figures(self, evaluated: Callable[[Readings], dict[str, Any]]) -> dict[str, Any]:
        # Pooled logits are scaled already: what they were before is asked of the ones that were not.
        unscaled = replace(self.pooled, logits=np.concatenate([fold.readings.logits for fold in self.folds]))
        before = evaluate(unscaled, replicates=1)["before_temperature"]
        return {
            "arch": self.recipe.arch,
            "parameters": self.parameters,
            "folds": [
                {
                    "fold": number,
                    "split_digest": fold.split.digest,
                    "acquainted": fold.acquainted,
                    "best_epoch": fold.best_epoch,
                    "seconds": round(fold.seconds, 1),
                    "spent": fold.spent.to_json(),
                    **evaluated(fold.readings),
                }
                for number, fold in enumerate(self.folds, start=1)
            ],
            "pooled": evaluated(self.pooled) | {"temperature": None, "before_temperature": before},
            "shortcuts": None if self.panel is None else self.panel.to_json(self.pooled),
        }

    def _against(self, other: CrossValidation, evaluated: Callable[[Readings], dict[str, Any]]) -> dict[str, Any]:
        return {
            **other._figures(evaluated),
            "difference": f"{self.recipe.arch} minus {other.recipe.arch}",
            "differences": differences(self.pooled, other.pooled),
        }
