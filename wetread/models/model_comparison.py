"""Compares a model's evaluation with that of the model that an alias means now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wetread.models.artefact import load_artefact, read_document
from wetread.models.folder import ModelsFolder
from wetread.models.strict_json import parse
from wetread.store.core.database import Database
from wetread.store.models.evaluations import Figure, StoredEvaluation, latest_comparison, latest_evaluation
from wetread.store.models.registrations import Registration

METRICS = "metrics.json"

COMPARED = ("accuracy", "balanced_accuracy", "macro_auroc")
"""The figures that a promotion looks at."""

_COUNTS = ("n", "patients")
_PARTS = ("value", "low", "high")


@dataclass(frozen=True, slots=True)
class MeasuredFigures:
    """Figures of a model on films that it did not learn from, each with its 95% interval by patient.

    of: test or validation, as its card has them; evaluation, as `wetread evaluate --output` kept them; comparison, as
    the difference from another model on the same films.
    """

    of: str
    films: int
    patients: int
    figures: Mapping[str, Figure]

    def to_json(self) -> dict[str, Any]:
        """Return it as `models list --json` and `models promote --json` have it."""
        figures = {name: dict(figure) for name, figure in self.figures.items()}
        return {"of": self.of, "n": self.films, "patients": self.patients, **figures}


@dataclass(frozen=True, slots=True)
class ModelStanding:
    """A model beside the model that serves now, if any. difference: the model's figures minus the other's."""

    model: Registration
    measured: MeasuredFigures | None
    serving: Registration | None = None
    serving_measured: MeasuredFigures | None = None
    difference: MeasuredFigures | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what was measured as JSON; null where nothing was."""
        found = {"figures": self.measured, "previous_figures": self.serving_measured, "difference": self.difference}
        return {name: None if measured is None else measured.to_json() for name, measured in found.items()}


def standing_of(
    database: Database, folder: ModelsFolder, model: Registration, serving: Registration | None
) -> ModelStanding:
    """Return the evaluations of a model and of the model that serves."""
    measured = measured_of(database, folder, model)
    if serving is None:
        return ModelStanding(model, measured)
    with database.reading() as session:
        compared = latest_comparison(session, model.digest, serving.digest)
    of_both = None if compared is None else _difference(compared, model.digest)
    return ModelStanding(model, measured, serving, measured_of(database, folder, serving), of_both)


def measured_of(database: Database, folder: ModelsFolder, registration: Registration) -> MeasuredFigures | None:
    """Return what a model's metrics.json says of its test or validation patients, else what `evaluate` kept.

    Raises ArtefactError where the model's files here are not as they were registered.
    """
    directory = folder.find(registration)
    if directory is not None:
        card = load_artefact(directory, trusted_digest=registration.digest).card
        body = parse(read_document(directory, card, METRICS), METRICS) if METRICS in card.documents else {}
        for side in ("test", "validation"):
            if (found := _measured(side, body.get(side))) is not None:
                return found
    with database.reading() as session:
        kept = latest_evaluation(session, registration.digest)
    return None if kept is None else MeasuredFigures("evaluation", kept.films, kept.patients, _compared(kept.figures))


def _difference(kept: StoredEvaluation, digest: str) -> MeasuredFigures:
    """Return this model's figures minus the other's, whichever was named first in the comparison."""
    figures = _compared(kept.figures)
    if kept.model_digest != digest:
        figures = {name: {"value": -f["value"], "low": -f["high"], "high": -f["low"]} for name, f in figures.items()}
    return MeasuredFigures("comparison", kept.films, kept.patients, figures)


def shown(figure: Figure) -> str:
    """Return a figure with its interval as text."""
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


def _measured(side: str, body: object) -> MeasuredFigures | None:
    if not isinstance(body, dict) or not all(_is_number(body.get(count)) and body[count] > 0 for count in _COUNTS):
        return None
    figures = _compared(body)
    return MeasuredFigures(side, int(body["n"]), int(body["patients"]), figures) if figures else None


def _compared(body: Mapping[str, Any]) -> dict[str, Figure]:
    return {name: body[name] for name in COMPARED if _is_figure(body.get(name))}


def _is_figure(figure: object) -> bool:
    return isinstance(figure, dict) and all(_is_number(figure.get(part)) for part in _PARTS)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
