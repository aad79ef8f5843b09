"""`wetread evaluate`: how good a model is on labelled films."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from cli.context import opened_registry
from cli.engine_option import engine_option
from cli.figures import show_differences, show_evaluation, stated_options
from cli.folder import made_folder, write_files
from cli.numerics import set_up_products
from cli.output import NOT_DIAGNOSTIC, emit_json, say
from schemas.errors import UsageError

if TYPE_CHECKING:
    from cli.training_progress import TrainingProgress
    from trainer.dataset import Dataset
    from trainer.reading import Readings
    from wetread.models.artefact import Artefact
    from wetread.store.registrations import Registration


@click.command()
@click.argument("model")
@click.argument("data", type=click.Path())
@click.option("--split", type=click.Path(), help="A csv of patient_id,side; with it, one side is read.")
@click.option(
    "--side", type=click.Choice(["train", "validation", "test"]), help="Which side of the split.  [default: test]"
)
@engine_option
@click.option("--against", help="Another model, which reads the same films; the differences are given.")
@click.option("--patient-pattern", help="For a folder per label: a regular expression with one group, the patient.")
@click.option("--processes", default=2, show_default=True, help="That read films.")
@stated_options
@click.option("--output", type=click.Path(), help="Write evaluation.json and plots to this folder.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate(
    model: str,
    data: str,
    split: str | None,
    side: str | None,
    engine: str,
    against: str | None,
    patient_pattern: str | None,
    processes: int,
    specificity: float,
    prevalence: float,
    output: str | None,
    as_json: bool,
) -> None:
    """Measure a model on labelled films.

    Figures have 95% intervals by patient. The labels of DATA must be the model's. Films that the model learned from
    tell nothing: give the split. With --against, another model reads the same films, and the differences, MODEL minus
    the other, are given with paired intervals.

    \b
    Example:
      wetread evaluate chest@2 films/
      wetread evaluate chest@3 films/ --against chest@2 --split split.csv
      wetread evaluate production films/ --split split.csv --side test --json
      wetread evaluate chest films/ --specificity 0.9 --prevalence 0.02 --output evaluation/
    """
    from cli.training_progress import TrainingProgress

    set_up_products()
    from trainer.dataset import load_dataset
    from trainer.evaluation import evaluate as evaluated
    from trainer.paired import check_labels

    if side is not None and split is None:
        raise UsageError(f"expected --split FILE with --side {side}, found none: which patients are they?")
    if output is not None:
        import trainer.plots  # noqa: F401 - where matplotlib is missing, that is said first

        made_folder(output)
    chosen = [_opened(reference) for reference in (model, *([] if against is None else [against]))]
    (registration, artefact), *other = chosen
    for _, opened in other:
        check_labels(opened.card.labels, artefact.card.labels)
    dataset = load_dataset(os.fsencode(data), labels=artefact.card.labels, patient_pattern=patient_pattern)
    indices, which = _chosen(dataset, split, side)
    warnings = [_warnings(opened, dataset, indices, which) for _, opened in chosen]
    for (named, _), of_model in zip(chosen, warnings, strict=True):
        for warning in of_model:
            say(f"warning: {named.reference}: {warning}" if other else f"warning: {warning}")
    with TrainingProgress() as progress:
        readings, *rivals = _read([opened for _, opened in chosen], dataset, indices, engine, processes, progress)
    films = {"engine": engine, "data_digest": dataset.digest, "side": which}
    found = (
        _named(registration, artefact, warnings[0])
        | films
        | evaluated(readings, specificity=specificity, prevalence=prevalence)
    )
    for (rival, opened), theirs in zip(other, rivals, strict=True):
        found["against"] = _named(rival, opened, warnings[1]) | _against(registration, readings, rival, theirs)
    title = registration.reference if which is None else f"{registration.reference}, {which} patients"
    if output is not None:
        from trainer.evaluation_files import evaluation_files

        write_files(output, evaluation_files("evaluation.json", found, readings, title=title))
    if as_json:
        emit_json(found)
        return
    show_evaluation(found, title, whole=True)
    if other:
        show_differences(found["against"]["differences"], found["against"]["difference"])
    say(NOT_DIAGNOSTIC)


def _opened(reference: str) -> tuple[Registration, Artefact]:
    with opened_registry() as registry:
        registration = registry.resolve(reference)
        return registration, registry.open(registration.digest)


def _read(
    artefacts: Sequence[Artefact],
    dataset: Dataset,
    indices: Sequence[int],
    engine: str,
    processes: int,
    progress: TrainingProgress,
) -> list[Readings]:
    """Return what each model says of the films, the labels in the data's order; each preprocessing is done once."""
    from trainer.paired import relabelled
    from trainer.pixels import Films, load_films
    from trainer.reading import read_by_classifier, readings_of
    from wetread.imaging.preprocess import Preprocess
    from wetread.models.classifier import load_classifier

    films: dict[Preprocess, Films] = {}
    found = []
    for artefact in artefacts:
        preprocess, decision = artefact.card.preprocess, artefact.decision
        if preprocess not in films:
            films[preprocess] = load_films(
                dataset, preprocess, indices=indices, processes=processes, progress=progress.reading
            )
        logits = read_by_classifier(load_classifier(artefact, engine), films[preprocess])
        theirs = replace(dataset, labels=artefact.card.labels)
        readings = readings_of(theirs, indices, logits, decision.temperature, decision.thresholds)
        found.append(relabelled(readings, dataset.labels))
    return found


def _named(registration: Registration, artefact: Artefact, warnings: list[str]) -> dict[str, Any]:
    return {
        "model": registration.reference,
        "model_digest": artefact.digest,
        "decision_digest": artefact.decision.digest,
        "warnings": warnings,
    }


def _against(one: Registration, readings: Readings, other: Registration, theirs: Readings) -> dict[str, Any]:
    """Return the other model's own figures, and the differences."""
    from trainer.paired import differences
    from trainer.parts import overall

    difference = f"{one.reference} minus {other.reference}"
    return {**overall(theirs), "difference": difference, "differences": differences(readings, theirs)}


def _chosen(dataset: Dataset, split: str | None, side: str | None) -> tuple[tuple[int, ...], str | None]:
    """Return the films to read, and the side that they are."""
    from trainer.splits import Side, read_split

    if split is None:
        return tuple(range(len(dataset))), None
    chosen = Side(side or "test")
    return read_split(os.fsencode(split)).indices(dataset, chosen), chosen.value


def _warnings(artefact: Artefact, dataset: Dataset, indices: Sequence[int], side: str | None) -> list[str]:
    """Return why the figures may be too high, or undefined."""
    found = []
    present = {dataset.films[index].label for index in indices}
    if absent := [label for label in dataset.labels if label not in present]:
        found.append(f"no film is labelled {' or '.join(absent)}: what needs one is undefined, the macro AUROC too")
    if not dataset.patients_known:
        found.append("the data names no patients: each file is taken for one, and intervals may be too narrow")
    own = artefact.card.provenance.data_manifest_digest == dataset.digest
    if own and side is None:
        found.append("the model was trained on part of these very films: give --split FILE --side test")
    if own and side in ("train", "validation"):
        found.append(f"the model was trained or chosen on these {side} patients: the figures are too high")
    return found
