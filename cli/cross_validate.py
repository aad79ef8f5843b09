"""`wetread cross-validate`: how good a recipe is when every patient is held out once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from cli.audit_warnings import warn_of
from cli.data_options import layout_of
from cli.figures import estimate, show_differences, show_evaluation, stated_options
from cli.folder import FOLDER, made_folder, write_files
from cli.numerics import set_up_products
from cli.output import NOT_DIAGNOSTIC, emit_json, emit_table, say
from cli.training_options import (
    backbone_options,
    film_options,
    learning_options,
    network_options,
    panel_option,
    recipe_of,
)
from schemas.errors import UsageError

if TYPE_CHECKING:
    from trainer.studies.crossvalidated import CrossValidation


@click.command()
@click.argument("data", type=click.Path())
@click.option(
    "--folds", default=5, show_default=True, help="How many trainings; each holds out another part of the patients."
)
@network_options
@backbone_options
@learning_options
@click.option("--validation", default=0.15, show_default=True, help="Share of a fold's other patients in validation.")
@click.option("--split-seed", default=0, show_default=True, help="Seed that deals the patients to the sides.")
@click.option("--split", type=click.Path(), help="A csv of patient_id,side, whose test patients are not read.")
@click.option(
    "--against",
    type=click.Choice(["cnn", "dnn", "separable"]),
    help="Train this network on the same folds too, and print the differences.",
)
@click.option(
    "--leaky-image-level", is_flag=True, help="Deal films instead of patients, to show what a leaky split would claim."
)
@panel_option
@film_options
@stated_options
@click.option("--strict", is_flag=True, help="Exit 5, without training, when the audit finds the data unsafe.")
@click.option("--output", type=FOLDER, help="Write figures and plots to this folder; the same command continues there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def cross_validate(data: str, folds: int, leaky_image_level: bool, as_json: bool, **options: Any) -> None:
    """Measure a recipe, every patient held out once.

    The patients are dealt into folds; for each, a network is trained on the others and reads those who were held out.
    Figures are given by fold and pooled, with 95% intervals by patient, and beside them what a small network reaches
    that does not see the lungs (--no-panel leaves that away). No model is kept. With --against, a second network is
    trained on the same folds, and the differences have paired intervals. The data is audited first.

    \b
    Example:
      wetread cross-validate films/ --folds 5 --epochs 40
      wetread cross-validate films/ --arch cnn --against separable --output folds/
      wetread cross-validate films/ --leaky-image-level --json
    """
    set_up_products()
    from cli.training_progress import TrainingProgress
    from trainer.data.dataset import load_dataset
    from trainer.data.splits import read_split, without_test_patients
    from trainer.studies.crossvalidation import cross_validate as cross_validated
    from trainer.training.folder_sides import by_its_folders

    if options["against"] == options["arch"]:
        raise UsageError(f"expected another network than {options['arch']} after --against, found the same")
    if options["output"] is not None:
        import trainer.evaluation.plots  # noqa: F401 - where matplotlib is missing, that is said first

        made_folder(options["output"])
    shared = {name: options[name] for name in ("validation", "split_seed", "specificity", "panel")}
    recipe = recipe_of(options, name="cross-validation", **shared)
    dataset = load_dataset(os.fsencode(data), layout_of(options))
    if options["split"] is not None:
        dataset = without_test_patients(dataset, read_split(os.fsencode(options["split"])))
    elif (split := by_its_folders(recipe, dataset).split) is not None:
        dataset = without_test_patients(dataset, split)
    say(f"{len(dataset)} films of {len(dataset.patients)} patients: {', '.join(dataset.labels)}")
    with TrainingProgress() as progress:
        found = cross_validated(
            dataset,
            recipe,
            folds,
            against=options["against"],
            leaky=leaky_image_level,
            strict=options["strict"],
            folder=None if options["output"] is None else os.fsencode(options["output"]),
            processes=options["processes"],
            reading=progress.reading,
            audited=partial(warn_of, progress=progress, dealt=not leaky_image_level),
            training=lambda name: partial(progress.training, name=name),
        )
    for warning in found.warnings:
        say(f"warning: {warning}")
    body = found.to_json(specificity=options["specificity"], prevalence=options["prevalence"])
    if options["output"] is not None:
        _write(options["output"], found, body)
    if as_json:
        emit_json(body)
    else:
        _show(body)


def _show(body: dict[str, Any]) -> None:
    if body["leaky"]:
        # Beside the figures, wherever they are kept: a table's title is left away in a file.
        click.echo(f"# {body['split'].upper()}")
    networks = [body, *([body["against"]] if "against" in body else [])]
    for network in networks:
        emit_table(FOLD_COLUMNS, map(_fold_row, network["folds"]), title=f"by fold: {_network(network)}")
    whom = "leaky" if body["leaky"] else "pooled over held-out patients"
    for network in networks:
        title = f"{whom}, {_network(network)}"
        show_evaluation(network["pooled"], title, whole=network is body, shortcuts=network["shortcuts"])
    if "against" in body:
        show_differences(body["against"]["differences"], body["against"]["difference"])
    say(f"reading films took {body['seconds']['reading']:.1f} s and the audit {body['seconds']['audit']:.1f} s, once")
    say(NOT_DIAGNOSTIC)


FOLD_COLUMNS = (
    "fold", "films", "patients", "accuracy", "macro AUROC", "temperature", "best epoch", "seconds", "making batches",
    "steps", "evaluation",
)  # fmt: skip
"""The last three are what the seconds were spent on."""


def _fold_row(fold: Mapping[str, Any]) -> tuple[object, ...]:
    return (
        str(fold["fold"]),
        fold["n"],
        fold["patients"],
        estimate(fold["accuracy"]),
        estimate(fold["macro_auroc"]),
        fold["temperature"],
        fold["best_epoch"],
        fold["seconds"],
        *fold["spent"].values(),
    )


def _network(body: Mapping[str, Any]) -> str:
    return f"{body['arch']} of {body['parameters']:,} parameters"


def _write(folder: str, found: CrossValidation, body: dict[str, Any]) -> None:
    from trainer.evaluation.files import evaluation_files, shortcuts_plots

    title = f"{'LEAKY, by image' if found.leaky else 'held-out patients'}, {len(found.folds)} folds"
    files = evaluation_files("cross-validation.json", body, found.pooled, title=title)
    write_files(folder, files | shortcuts_plots(body["shortcuts"], body["pooled"], title=title))
