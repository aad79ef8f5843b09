"""`wetread train`: makes a registered model from labelled films."""

from __future__ import annotations

import os
import shlex
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from cli.audit_warnings import warn_of
from cli.context import opened_registry
from cli.data_options import layout_of
from cli.folder import FOLDER
from cli.numerics import set_up_products
from cli.output import NOT_DIAGNOSTIC, emit_json, say
from cli.training_options import (
    backbone_options,
    film_options,
    learning_options,
    network_options,
    panel_option,
    recipe_of,
)
from schemas.errors import ArtefactError

if TYPE_CHECKING:
    from trainer.studies.making import Made
    from trainer.training.recipe import Recipe
    from wetread.models.card import Provenance
    from wetread.models.registry import Registry

WHERE_TO = ("as_json", "checkpoint", "output", "save_split")
"""Options that say where things go; they make no other model."""


@click.command()
@click.argument("data", type=click.Path())
@click.option("--name", help="The model's name; versions are numbered.  [default: the architecture's]")
@network_options
@backbone_options
@learning_options
@click.option("--split", type=click.Path(), help="A csv of patient_id,side to use instead of a new split.")
@click.option("--validation", default=0.15, show_default=True, help="Share of the patients in validation.")
@click.option("--test", default=0.2, show_default=True, help="Share of the patients in test.")
@click.option("--split-seed", default=0, show_default=True, help="Seed that deals the patients to the sides.")
@click.option("--save-split", type=click.Path(), help="Write the split that was used to this file, as csv.")
@click.option(
    "--open-test/--no-open-test", default=True, show_default=True, help="Evaluate on the test patients at the end."
)
@click.option(
    "--specificity",
    type=click.FloatRange(0, 1),
    default=0.95,
    show_default=True,
    help="The specificity of each label's threshold on the validation patients. 0: no thresholds.",
)
@click.option(
    "--gate/--no-gate",
    default=True,
    show_default=True,
    help="Fit the input gate, which rejects pictures that are not films.",
)
@panel_option
@film_options
@click.option("--data-notes", type=click.File(encoding="utf-8"), help="Markdown about the data, for the model's card.")
@click.option("--strict", is_flag=True, help="Exit 5, without training, when the audit finds the data unsafe.")
@click.option("--output", type=FOLDER, help="Write the artefact to this new directory instead of registering it.")
@click.option(
    "--checkpoint",
    type=click.Path(file_okay=False),
    metavar="FOLDER",
    help="Keep a checkpoint after each epoch in this folder, from which the same command continues.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def train(ctx: click.Context, /, data: str, **options: Any) -> None:
    """Train a model on labelled films.

    DATA is a folder per label, or a folder with manifest.csv (path, label, patient_id) or another table, such as NIH's
    or CheXpert's. Folders train, val and test are sides of a split, with a folder per label in each. Patients are kept
    apart: no one is both learned and tested. The data is audited first (see 'wetread audit'); what is found is said,
    and stands in the card. The model is registered with its figures, its plots and its card.

    \b
    Example:
      wetread train films/ --name chest --epochs 40
      wetread train films/ --engine keras --arch separable --patience 10 --json
      wetread train films/ --epochs 200 --checkpoint kept/
      wetread train nih/ --manifest Data_Entry_2017.csv --map "No Finding=normal" --map Pneumonia=pneumonia --drop "*"
    """
    from cli.training_progress import TrainingProgress

    set_up_products()
    from trainer.card.documents import documents_of
    from trainer.card.model_card import CardNotes
    from trainer.data.dataset import load_dataset
    from trainer.evaluation.looks_at_test_patients import earlier_openings
    from trainer.studies.making import make_model
    from trainer.training.checkpoints import epochs_kept, remove_checkpoint
    from trainer.training.folder_sides import by_its_folders

    recipe = _recipe(options)
    checkpoint = None if options["checkpoint"] is None else os.fsencode(options["checkpoint"])
    if checkpoint is not None and (epochs := epochs_kept(checkpoint)):
        say(f"{options['checkpoint']} has a checkpoint, of {epochs} of {recipe.options.epochs} epochs")
    dataset = load_dataset(os.fsencode(data), layout_of(options))
    recipe = by_its_folders(recipe, dataset)
    say(f"{len(dataset)} films of {len(dataset.patients)} patients: {', '.join(dataset.labels)}")
    if not dataset.patients_known:
        say("warning: the data names no patients; each file is taken for one, and figures may be too high")
    if options["split"] is None and dataset.has_sides:
        say("the data's own folders say who learns, validates and tests; --ignore-sides deals the patients anew")
    with opened_registry() as registry, TrainingProgress() as progress:
        earlier = _provenances(registry)
        made = make_model(
            dataset,
            recipe,
            processes=options["processes"],
            strict=options["strict"],
            reading=progress.reading,
            audited=partial(warn_of, progress=progress, dealt=recipe.split is None),
            training=progress.training,
            panel=lambda view: partial(progress.training, name=view),
            checkpoint=checkpoint,
        )
        if options["save_split"] is not None:
            made.split.write(os.fsencode(options["save_split"]))
        data_notes = options["data_notes"].read() if options["data_notes"] else ""
        openings = earlier_openings(earlier, made.split.digest) + 1
        documents = documents_of(made, CardNotes(_command_line(ctx), data_notes, openings))
        where = _keep(registry, made, documents, options["output"])
        if checkpoint is not None:
            remove_checkpoint(checkpoint)
    if options["as_json"]:
        emit_json(where | _summary(made, openings))
    else:
        _show(made, where, options["output"])


def _recipe(options: dict[str, Any]) -> Recipe:
    from trainer.data.splits import read_split

    return recipe_of(
        options,
        name=options["name"] or options["arch"],
        split=None if options["split"] is None else read_split(os.fsencode(options["split"])),
        validation=options["validation"],
        test=options["test"],
        split_seed=options["split_seed"],
        open_test=options["open_test"],
        specificity=options["specificity"],
        panel=options["panel"],
        gate=options["gate"],
    )


def _provenances(registry: Registry) -> list[Provenance]:
    """Return where the registered models come from.

    Looked up before the training: what is wrong with another model must not cost it.
    """
    here = [model.registration for model in registry.models() if model.directory is not None]
    found = []
    for registration in here:
        try:
            found.append(registry.open(registration.digest).card.provenance)
        except ArtefactError as error:
            say(f"warning: {registration.reference} does not count among those that read the test patients: {error}")
    return found


def _keep(registry: Registry, made: Made, documents: dict[str, bytes], output: str | None) -> dict[str, Any]:
    """Register or write the model; return where it is.

    A network that is registered already stays the model that it is, and this is said.
    """
    from trainer.card.origins import digest_of
    from wetread.models.artefact import save_artefact

    contents = made.contents(documents)
    if output is not None:
        artefact = save_artefact(output, contents)
        return {"model": artefact.card.name, "digest": artefact.digest, "directory": os.path.abspath(output)}
    digest = digest_of(made)
    known = [model.registration.reference for model in registry.models() if model.registration.digest == digest]
    if known:
        say(
            f"warning: this network is registered already, as {known[0]}, and keeps that name, its card, its figures "
            "and its thresholds; those made now are not stored: --output FOLDER would write them, and "
            "'wetread models recalibrate' changes the thresholds of what is registered"
        )
    registration = registry.publish(contents)
    return {
        "model": registration.reference,
        "digest": registration.digest,
        "directory": registry.locate(registration),
    }


def _summary(made: Made, openings: int) -> dict[str, Any]:
    history = made.trained.history
    return {
        "engine": made.recipe.options.engine,
        "arch": made.recipe.arch,
        "labels": list(made.dataset.labels),
        "epochs": history.epochs,
        "best_epoch": made.trained.best_epoch,
        "seconds": round(sum(history.seconds), 1),
        "patients": made.split.counts(),
        "patients_known": made.dataset.patients_known,
        "audit": made.audit.to_json(with_cases=False),
        "temperature": made.decision.temperature,
        "thresholds": dict(made.decision.thresholds),
        "shortcuts": made.panel,
        "gate": None if made.gate is None else made.gate[1],
        "validation": made.metrics["validation"],
        "test": made.metrics.get("test"),
        "test_openings": openings if "test" in made.metrics else openings - 1,
    }


def _show(made: Made, where: dict[str, Any], output: str | None) -> None:
    from cli.figures import show_evaluation
    from trainer.card.model_card import warnings_of

    whom = f"{where['model']}, {made.shown.value} patients"
    show_evaluation(made.metrics[made.shown.value], whom, shortcuts=made.panel)
    for warning in warnings_of(made):
        say("warning: " + warning.replace("**", ""))
    say(f"{where['model']} is in {where['directory']}: read its MODEL_CARD.md or model_card.html. {NOT_DIAGNOSTIC}")
    if output is not None:
        say(f"next: {shlex.join(['wetread', 'models', 'import', output])}, which registers it; then")
    say(f"next: wetread screen DIR --model {where['model']}")


def _command_line(ctx: click.Context) -> str:
    """Return the command that was given, for the card, without what was at its default or makes no other model."""
    words = ["wetread", "train", str(ctx.params["data"])]
    for option in ctx.command.params:
        source = ctx.get_parameter_source(option.name or "")
        if not isinstance(option, click.Option) or source is not click.core.ParameterSource.COMMANDLINE:
            continue
        if option.name in WHERE_TO:
            continue
        value = ctx.params[option.name or ""]
        if option.is_flag:
            words += [option.opts[0] if value else option.secondary_opts[0]]
        else:
            given = value if option.multiple else [value]
            words += [word for one in given for word in (option.opts[0], getattr(one, "name", None) or str(one))]
    return shlex.join(words)
