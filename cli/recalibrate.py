"""`wetread models recalibrate`: fits a model's temperature and thresholds again on a site's own films."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from cli.completing import MODEL
from cli.context import opened_database
from cli.data_options import data_options, layout_of
from cli.engine_option import engine_option
from cli.figures import estimate
from cli.numerics import set_up_products
from cli.output import NOT_DIAGNOSTIC, emit_json, emit_table, say
from schemas.errors import UsageError

if TYPE_CHECKING:
    from trainer.studies.recalibration import Recalibration
    from wetread.models.artefact import Artefact
    from wetread.models.decision import Decision


@click.command()
@click.argument("model", type=MODEL)
@click.argument("data", type=click.Path(), required=False)
@click.option("--split", type=click.Path(), help="A csv of patient_id,side; with it, its validation side is read.")
@click.option("--as-trained", is_flag=True, help="Restore the decision that came with the model; no DATA is read.")
@click.option(
    "--specificity",
    type=click.FloatRange(0, 1),
    default=0.95,
    show_default=True,
    help="The specificity of each label's threshold on these films; 0: no thresholds.",
)
@engine_option
@data_options
@click.option("--processes", default=2, show_default=True, help="That read films.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def recalibrate(model: str, data: str | None, as_trained: bool, as_json: bool, **options: Any) -> None:
    """Fit a model's temperature and thresholds again, on labelled films of your own.

    The network stays as it is. Its temperature, which makes probabilities as sure as they are right, and the threshold
    of each label, below which a film is uncertain, are fitted on DATA: patients that the model did not learn from, and
    on whom it is not measured later. All stored readings are decided anew from their logits, without a pixel being
    read, and so is what workers read from then on.

    \b
    Example:
      wetread models recalibrate production our-films/ --specificity 0.9
      wetread models recalibrate chest@2 films/ --split split.csv
      wetread models recalibrate chest@2 --as-trained
    """
    if as_trained == (data is not None):
        raise UsageError("expected DATA to fit the decision on, or --as-trained and no DATA")
    set_up_products()
    from wetread.models.artefact import load_artefact
    from wetread.models.loading import check_reads
    from wetread.models.redeciding import put_in_force
    from wetread.models.registry import Registry

    with opened_database() as (settings, database):
        registry = Registry(database, settings.models_directory)
        registration = registry.resolve(model)
        artefact = registry.open(registration.digest)
        fitted = None
        if data is None:
            where = registry.locate(registration)
            decision = load_artefact(where, trusted_digest=registration.digest).decision
        else:
            check_reads(artefact, options["engine"])
            fitted = _fitted(artefact, data, options)
            decision = _decision(artefact, fitted)
        said = {"model": registration.reference, "model_digest": artefact.digest, "decision_digest": decision.digest}
        decided = put_in_force(database, decision, artefact.card.labels, lambda done: _count(done, as_json))
    whole = said | {"readings_decided_anew": decided}
    if as_json:
        emit_json(whole | ({} if fitted is None else {"fitted": fitted.to_json()}))
        return
    _show(decision, fitted)
    say(f"{registration.reference} decides so from now on; {decided} stored readings were decided anew")
    if fitted is not None:
        say("figures of the films that it was fitted on: measure it on other patients ('wetread evaluate')")
    say(NOT_DIAGNOSTIC)


def _fitted(artefact: Artefact, data: str, options: dict[str, Any]) -> Recalibration:
    from cli.training_progress import TrainingProgress
    from trainer.data.dataset import load_dataset
    from trainer.data.side import Side
    from trainer.data.splits import read_split
    from trainer.studies.model_readings import read_films
    from trainer.studies.recalibration import recalibrate as refitted
    from trainer.training.folder_sides import films_on

    dataset = load_dataset(os.fsencode(data), layout_of(options), labels=artefact.card.labels)
    split = options["split"]
    if split is not None:
        indices = read_split(os.fsencode(split)).indices(dataset, Side.VALIDATION)
    elif dataset.has_sides:
        indices = films_on(dataset, Side.VALIDATION)
    else:
        indices = tuple(range(len(dataset)))
    if split is None and not dataset.has_sides and artefact.card.provenance.data_manifest_digest == dataset.digest:
        raise UsageError(
            "the model was trained on part of these very films: its probabilities are too sure there; give --split FILE"
        )
    with TrainingProgress() as progress:
        measured = read_films(
            [artefact], dataset, indices, options["engine"], processes=options["processes"], progress=progress.reading
        )
    return refitted(measured.models[0].readings, options["specificity"])


def _decision(artefact: Artefact, fitted: Recalibration) -> Decision:
    from wetread.models.decision import Decision

    return Decision(artefact.digest, fitted.fitted.temperature, fitted.fitted.thresholds)


def _count(decided: int, quiet: bool) -> None:
    if not quiet:
        say(f"{decided} stored readings decided anew")


def _show(decision: Decision, fitted: Recalibration | None) -> None:
    rows: list[tuple[object, ...]] = [("temperature", f"{decision.temperature:.4g}")]
    rows += [(f"threshold of {label}", f"{least:.4g}") for label, least in decision.thresholds.items()]
    emit_table(("decision", "value"), rows, title="in force now", one_of_many=fitted is not None)
    if fitted is None:
        return
    body = fitted.to_json()
    title = f"on the {body['films']} films of {body['patients']} patients that it was fitted on"
    names = (("coverage", "given a label"), ("accuracy", "of these right"))
    table = [(said, *(estimate(body[when][key]) for when in ("before", "after"))) for key, said in names]
    table.append(("ECE", *(f"{body[when]['ece']:.3f}" for when in ("before", "after"))))
    emit_table(("figure", "before", "after"), table, title=title, one_of_many=True)
