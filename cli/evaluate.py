"""`wetread evaluate`: how good a model is on labelled films."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from cli.audit_warnings import say_several_ids
from cli.completing import MODEL
from cli.context import opened_database, opened_registry
from cli.data_options import data_options, layout_of
from cli.engine_option import engine_option
from cli.figures import show_differences, show_evaluation, stated_options
from cli.folder import FOLDER, made_folder, write_files
from cli.numerics import set_up_products
from cli.output import NOT_DIAGNOSTIC, STANDARD_OUTPUT, csv_cell, emit_json, say
from cli.output_file import output_file
from schemas.errors import UsageError

if TYPE_CHECKING:
    from trainer.data.dataset import Dataset
    from trainer.evaluation.reading import Readings
    from trainer.studies.model_readings import ModelReadings
    from wetread.models.artefact import Artefact
    from wetread.store.models.registrations import Registration

    Opened = tuple[Registration, Artefact, dict[str, Any] | None]


@click.command()
@click.argument("model", type=MODEL)
@click.argument("data", type=click.Path())
@click.option("--split", type=click.Path(), help="A csv of patient_id,side; with it, one side is read.")
@click.option(
    "--side", type=click.Choice(["train", "validation", "test"]), help="The side of the split to read.  [default: test]"
)
@engine_option
@click.option("--against", type=MODEL, help="Another model, which reads the same films; prints the differences.")
@data_options
@click.option("--processes", default=2, show_default=True, help="That read films.")
@stated_options
@click.option(
    "--output", type=FOLDER, help="Write evaluation.json and plots to this folder; 'models promote' asks for it."
)
@click.option(
    "--predictions",
    type=click.Path(),
    metavar="FILE",
    help="Write a csv with a row per film, its label and its reading; - is stdout, without the table.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate(
    model: str,
    data: str,
    split: str | None,
    side: str | None,
    engine: str,
    against: str | None,
    processes: int,
    specificity: float,
    prevalence: float,
    output: str | None,
    predictions: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Measure a model on labelled films.

    Figures have 95% intervals by patient, who counts once under several ids. The labels of DATA must be the model's.
    Films that the model learned from tell nothing: give the split. All films are read, also those that the model's gate
    would reject; how many is said. With --against, another model reads the same films, and the differences, MODEL minus
    the other, are given with paired intervals.

    \b
    Example:
      wetread evaluate chest@2 films/
      wetread evaluate chest@3 films/ --against chest@2 --split split.csv
      wetread evaluate production films/ --split split.csv --side test --json
      wetread evaluate chest films/ --specificity 0.9 --prevalence 0.02 --output evaluation/
      wetread evaluate chest films/ --predictions films.csv
    """
    from cli.training_progress import TrainingProgress

    set_up_products()
    from trainer.data.dataset import load_dataset
    from trainer.evaluation.evaluation import evaluate as evaluated
    from trainer.evaluation.paired import check_labels
    from trainer.studies.model_readings import read_films
    from wetread.models.loading import check_reads

    if predictions == STANDARD_OUTPUT and as_json:
        raise UsageError("--predictions -: expected it without --json, since both are for standard output; name a file")
    if predictions not in (None, STANDARD_OUTPUT):
        made_folder(os.path.dirname(predictions) or os.curdir)  # said now and not when all films are read
    if output is not None:
        import trainer.evaluation.plots  # noqa: F401 - where matplotlib is missing, that is said first

        made_folder(output)
    chosen = [_opened(reference) for reference in (model, *([] if against is None else [against]))]
    (registration, artefact, _), *other = chosen
    for _, opened, _ in chosen:
        check_reads(opened, engine)
    for _, opened, _ in other:
        check_labels(opened.card.labels, artefact.card.labels)
    dataset = load_dataset(os.fsencode(data), layout_of(options), labels=artefact.card.labels)
    indices, which = _chosen(dataset, split, side)
    warnings = [_warnings(opened, dataset, indices, which) for _, opened, _ in chosen]
    for (named, _, _), of_model in zip(chosen, warnings, strict=True):
        for warning in of_model:
            say(f"warning: {named.reference}: {warning}" if other else f"warning: {warning}")
    artefacts = [opened for _, opened, _ in chosen]
    with TrainingProgress() as progress:
        measured = read_films(artefacts, dataset, indices, engine, processes=processes, progress=progress.reading)
    readings = measured.models[0].readings
    bodies = [_of_model(*each) for each in zip(chosen, warnings, measured.models, strict=True)]
    found = (
        bodies[0]
        | {"engine": engine, "data_digest": dataset.digest, "side": which}
        | {"people_with_several_ids": measured.people_with_several_ids, "without_lung_field": measured.set_aside}
        | evaluated(readings, specificity=specificity, prevalence=prevalence)
    )
    if other:
        difference = _difference(registration, readings, other[0][0], measured.models[1].readings)
        found["against"] = bodies[1] | difference
    title = registration.reference if which is None else f"{registration.reference}, {which} patients"
    if output is not None:
        from trainer.evaluation.files import evaluation_files

        write_files(output, evaluation_files("evaluation.json", found, readings, title=title))
        _keep(found, learned_from=any(_is_learned_from(opened, dataset, which) for _, opened, _ in chosen))
    if predictions is not None:
        _write_predictions(predictions, readings)
    if as_json:
        emit_json(found)
    elif predictions != STANDARD_OUTPUT:
        show_evaluation(found, title, whole=True)
        if other:
            show_differences(found["against"]["differences"], found["against"]["difference"])
    say_several_ids(measured.people_with_several_ids, "counted once")
    if measured.set_aside:
        say(
            f"{measured.set_aside} films have no plausible lung field, which 'wetread screen' would reject "
            "(no_lung_field); no figure is of them"
        )
    for body in bodies:
        _say_of_model(body)
    say(NOT_DIAGNOSTIC)


def _write_predictions(path: str, readings: Readings) -> None:
    from trainer.evaluation.film_table import film_columns, film_rows

    with output_file(path) as file:
        for row in (film_columns(readings), *film_rows(readings)):
            file.write((",".join(map(csv_cell, row)) + "\r\n").encode("utf-8", "backslashreplace"))
    if path != STANDARD_OUTPUT:
        say(f"{path}: a row for each of {len(readings.films)} films")


def _opened(reference: str) -> Opened:
    """Return the model, and the shortcut panel that its own metrics.json has."""
    from trainer.card.claims import METRICS, shortcuts_of
    from wetread.models.artefact import read_document

    with opened_registry() as registry:
        registration = registry.resolve(reference)
        artefact = registry.open(registration.digest)
        if METRICS not in artefact.card.documents:
            return registration, artefact, None
        metrics = read_document(registry.locate(registration), artefact.card, METRICS)
        return registration, artefact, shortcuts_of(metrics)


def _of_model(opened: Opened, warnings: list[str], measured: ModelReadings) -> dict[str, Any]:
    registration, artefact, shortcuts = opened
    films = len(measured.readings.films)
    return {
        "model": registration.reference,
        "model_digest": artefact.digest,
        "decision_digest": artefact.decision.digest,
        "warnings": warnings,
        "gate": None if measured.refused is None else {"refused": measured.refused, "of": films},
        "card_shortcuts": shortcuts,
    }


def _say_of_model(body: dict[str, Any]) -> None:
    """Say what its gate would do with these films, and what its card says of shortcuts."""
    if (gate := body["gate"]) is not None:
        say(
            f"the gate of {body['model']} rejects {gate['refused']} of these {gate['of']} films (not_a_film), which "
            "'wetread screen' would not read; the figures are of all of them"
        )
    if (shortcuts := body["card_shortcuts"]) is not None:
        say(f"the card of {body['model']}: {shortcuts['said']} (on its {shortcuts['side']} patients)")


def _difference(one: Registration, readings: Readings, other: Registration, theirs: Readings) -> dict[str, Any]:
    """Return the other model's own figures, and the differences."""
    from trainer.evaluation.paired import differences
    from trainer.evaluation.parts import overall

    difference = f"{one.reference} minus {other.reference}"
    return {**overall(theirs), "difference": difference, "differences": differences(readings, theirs)}


def _chosen(dataset: Dataset, split: str | None, side: str | None) -> tuple[tuple[int, ...], str | None]:
    """Return the films to read, and the side that they are."""
    from trainer.data.side import Side
    from trainer.data.splits import read_split
    from trainer.training.folder_sides import films_on

    chosen = Side(side or "test")
    if split is not None:
        return read_split(os.fsencode(split)).indices(dataset, chosen), chosen.value
    if dataset.has_sides:
        return films_on(dataset, chosen), chosen.value
    if side is not None:
        raise UsageError(f"expected --split FILE with --side {side}, found none: which patients are they?")
    return tuple(range(len(dataset))), None


def _warnings(artefact: Artefact, dataset: Dataset, indices: Sequence[int], side: str | None) -> list[str]:
    """Return why the figures may be too high, or undefined."""
    found = []
    present = {dataset.films[index].label for index in indices}
    if absent := [label for label in dataset.labels if label not in present]:
        found.append(f"no film is labelled {' or '.join(absent)}: what needs one is undefined, the macro AUROC too")
    if not dataset.patients_known:
        found.append("the data names no patients: each file is taken for one, and intervals may be too narrow")
    own = _is_learned_from(artefact, dataset, side)
    if own and side is None:
        found.append("the model was trained on part of these very films: give --split FILE --side test")
    elif own:
        found.append(f"the model was trained or chosen on these {side} patients: the figures are too high")
    return found


def _is_learned_from(artefact: Artefact, dataset: Dataset, side: str | None) -> bool:
    """Return whether the model was trained or chosen on these films, or on part of them, as far as can be told."""
    return artefact.card.provenance.data_manifest_digest == dataset.digest and side != "test"


def _keep(found: dict[str, Any], *, learned_from: bool) -> None:
    """Keep the figures, and the differences from another model, for a promotion."""
    from schemas.errors import RightsMissing
    from wetread.clock import utc_now
    from wetread.store.models.evaluations import StoredEvaluation, keep_evaluation

    against = found.get("against")
    bodies = [(None, found)] if against is None else [(None, found), (against["model_digest"], against["differences"])]
    try:
        with opened_database() as (_, database), database.writing() as session:
            for other, body in bodies:
                figures = {name: body[name] for name in _KEPT if body.get(name) is not None}
                keep_evaluation(
                    session, StoredEvaluation(
                        found["model_digest"], other, found["data_digest"], found["side"], learned_from, found["n"],
                        found["patients"], figures, utc_now(),
                    )
                )  # fmt: skip
    except RightsMissing as error:
        say(f"warning: 'wetread models promote' will not know of these figures: {error}")


_KEPT = ("accuracy", "balanced_accuracy", "macro_auroc")
