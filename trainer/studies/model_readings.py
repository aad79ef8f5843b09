"""Readings of the same films by several finished models, every file read once per preprocessing.

People with several patient ids are united first, by the audit's look at the films, so that an interval counts each of
them once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from trainer.audit.intake import take_in
from trainer.audit.people import with_several_ids
from trainer.data.dataset import Dataset
from trainer.data.pixels import Films, load_films
from trainer.evaluation.paired import relabelled
from trainer.evaluation.reading import Readings, read_by_classifier, readings_of
from trainer.gate.fitting import gate_scores
from wetread.imaging.preprocess import Preprocess
from wetread.models.artefact import Artefact
from wetread.models.gate import Gate
from wetread.models.loading import load_classifier


@dataclass(frozen=True)
class ModelReadings:
    """One model's readings of the films, the labels in the data set's order.

    refused: how many of the films its gate would reject; None where it has no gate. The readings are of them too.
    """

    readings: Readings
    refused: int | None


@dataclass(frozen=True)
class ModelsOnFilms:
    """What each model says of the films; people_with_several_ids: known by films that are one under two ids.

    set_aside: films in which one of the models found no plausible lung field; no figure is of them.
    """

    models: tuple[ModelReadings, ...]
    people_with_several_ids: int
    set_aside: int = 0


def read_films(
    artefacts: Sequence[Artefact],
    dataset: Dataset,
    indices: Sequence[int],
    engine: str,
    *,
    processes: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> ModelsOnFilms:
    """Read the films at `indices` by each model, on `engine`.

    The models' labels are the data set's, in whatever order. progress: called with (films read, films in all).
    Raises DataError naming the film that cannot be read, UsageError where the labels are others.
    """
    chosen = replace(dataset, films=tuple(dataset.films[index] for index in indices))
    for preprocess in dict.fromkeys(artefact.card.preprocess for artefact in artefacts[1:]):
        if preprocess.lung_field is not None:  # films without lungs go before the others are read: all read the same
            chosen = take_in(chosen, preprocess, processes=processes, progress=progress).dataset
    first = artefacts[0].card.preprocess
    intake = take_in(chosen, first, processes=processes, progress=progress)
    films: dict[Preprocess, Films] = {first: intake.films}
    for artefact in artefacts:
        preprocess = artefact.card.preprocess
        if preprocess not in films:
            films[preprocess] = load_films(intake.dataset, preprocess, processes=processes, progress=progress)
    models = (_read(artefact, intake.dataset, films[artefact.card.preprocess], engine) for artefact in artefacts)
    return ModelsOnFilms(tuple(models), len(with_several_ids(intake.dataset)), len(indices) - len(intake.dataset))


def _read(artefact: Artefact, dataset: Dataset, films: Films, engine: str) -> ModelReadings:
    card, decision = artefact.card, artefact.decision
    logits = read_by_classifier(load_classifier(artefact, engine), films)
    theirs = replace(dataset, labels=card.labels)
    readings = readings_of(theirs, range(len(dataset)), logits, decision.temperature, decision.thresholds)
    refused = None
    if card.gate is not None:
        gate = Gate.from_json(card.gate)
        refused = int((gate_scores(gate, card.preprocess, films) > gate.threshold).sum())
    return ModelReadings(relabelled(readings, dataset.labels), refused)
