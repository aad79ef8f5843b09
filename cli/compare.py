"""`wetread compare`: optimizers on the same films."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from cli.audit_warnings import warn_of
from cli.data_options import layout_of
from cli.figures import estimate
from cli.folder import FOLDER
from cli.numerics import set_up_products
from cli.output import NOT_DIAGNOSTIC, emit_json, emit_table, say
from cli.training_options import OPTIMIZERS, SIZE, film_options, network_options, panel_option, preprocess_of
from schemas.errors import UsageError

if TYPE_CHECKING:
    from trainer.studies.comparison import Comparison
    from trainer.training.recipe import Recipe


@click.command()
@click.argument("data", type=click.Path())
@click.option("--optimizers", default=",".join(OPTIMIZERS), show_default=True, help="Which ones, separated by commas.")
@click.option(
    "--learning-rate",
    "rates",
    multiple=True,
    metavar="OPTIMIZER=RATE",
    help="A learning rate instead of the optimizer's default; may be repeated.",
)
@network_options
@click.option("--epochs", default=50, show_default=True, help="How often every training film is seen.")
@click.option("--batch-size", default=32, show_default=True, help="Films a step.")
@click.option(
    "--schedule",
    type=click.Choice(["constant", "cosine"]),
    default="constant",
    show_default=True,
    help="Schedule of the learning rate.",
)
@click.option("--augment/--no-augment", default=False, show_default=True, help="Change training films a little.")
@click.option("--seed", default=0, show_default=True, help="Seed of the first weights, shuffling and augmentation.")
@click.option(
    "--split", type=click.Path(), help="A csv of patient_id,side: train is learned from, validation is held out."
)
@click.option(
    "--held-out", default=0.2, show_default=True, help="Share of the patients to hold out, where no split is given."
)
@click.option("--split-seed", default=0, show_default=True, help="Seed that deals the patients to the sides.")
@panel_option
@film_options
@click.option("--strict", is_flag=True, help="Exit 5, without training, when the audit finds the data unsafe.")
@click.option(
    "--output", type=FOLDER, help="Write tables, plot and figures to this folder; the same command continues there."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def compare(data: str, output: str | None, as_json: bool, **options: Any) -> None:
    """Compare optimizers on the same films.

    Each trains the same network from the same first weights on the same batches. The table has accuracy and loss at
    the first and the last epoch, of the training films and of patients who were held out. A second one has what a
    small network reaches on the same patients without seeing the lungs (--no-panel leaves that away).

    \b
    Example:
      wetread compare films/ --optimizers sgd,adam --epochs 20 --size 64
      wetread compare films/ --engine keras --output comparison/ --json
    """
    comparison = compared(data, output, **options)
    if as_json:
        emit_json(comparison.to_json())
        return
    many = comparison.shortcuts is not None
    emit_table(TABLE_COLUMNS, table_rows(comparison), title=title_of(comparison), one_of_many=many)
    show_shortcuts(comparison)
    show_notes(comparison, output)


def show_shortcuts(comparison: Comparison) -> None:
    """Print what shortcuts alone reach on the held-out films, where that was measured."""
    from trainer.shortcuts.table import shortcuts_alone_table

    if comparison.shortcuts is not None:
        table = shortcuts_alone_table(comparison.shortcuts)
        title = "what shortcuts alone reach on the held-out films: a small network that sees less"
        emit_table(table.columns, table.rows, title=title, one_of_many=True)


TABLE_COLUMNS = (
    "optimizer",
    "films",
    "first accuracy",
    "last accuracy",
    "range of last 10",
    "first loss",
    "last loss",
)
"""The paper's table has the optimizer, and accuracy and loss of the first and the last epoch."""


def table_rows(comparison: Comparison) -> list[tuple[object, ...]]:
    """Return two rows an optimizer: the films that it learned from, and the patients who were held out."""
    rows: list[tuple[object, ...]] = []
    for name, outcome in comparison.outcomes.items():
        body = outcome.to_json()
        for side, films in (("training", "training"), ("held_out", "held out")):
            rows.append((name, films, *figure_cells(body[side])))
    return rows


def figure_cells(figures: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the cells of one side's figures, or of the paper's, which have no interval and no range."""
    first, last = figures["first"], figures["last"]
    accuracy, late = last["accuracy"], figures.get("accuracy_range_of_last_epochs")
    return (
        f"{first['accuracy']:.4f}",
        f"{accuracy:.4f}" if isinstance(accuracy, float) else estimate(accuracy),
        "-" if late is None else f"{late[0]:.2f} to {late[1]:.2f}",
        f"{first['loss']:.4g}",
        f"{last['loss']:.4g}",
    )


def title_of(comparison: Comparison) -> str:
    """Return what was compared, on whom."""
    fixed, films, patients = comparison.fixed, comparison.films, comparison.patients
    return (
        f"{fixed['arch']}, {fixed['epochs']} epochs, engine {fixed['engine']}: {films['training']} training films, "
        f"{films['held_out']} films of {patients['held_out']} held-out patients; 95% intervals by patient"
    )


def show_notes(comparison: Comparison, output: str | None) -> None:
    """Say how to read the figures, and where the files are."""
    for note in comparison.notes:
        say(note)
    seconds = sum(sum(outcome.history.seconds) for outcome in comparison.outcomes.values())
    say(f"The trainings took {seconds:.0f} s. {NOT_DIAGNOSTIC}")
    if output is not None:
        say(f"{output}: comparison.json, table.csv, epochs.csv, curves.png")


def compared(data: str, output: str | None, **options: Any) -> Comparison:
    """Compare as these options say; write the files where there is an output folder."""
    set_up_products()
    from cli.training_progress import TrainingProgress
    from trainer.data.dataset import load_dataset
    from trainer.studies.comparing import compare as compare_optimizers
    from trainer.training.folder_sides import by_its_folders

    optimizers = chosen_optimizers(options["optimizers"])
    rates = _rates(options["rates"])
    recipe = _recipe(options)
    if output is not None:
        from trainer.studies.comparison_files import write_comparison  # where matplotlib is missing, that is said first
    dataset = load_dataset(os.fsencode(data), layout_of(options))
    recipe = by_its_folders(recipe, dataset)
    say(f"{len(dataset)} films of {len(dataset.patients)} patients: {', '.join(dataset.labels)}")
    if not dataset.patients_known:
        say("warning: the data names no patients; each file is taken for one, and held-out figures may be too high")
    with TrainingProgress() as progress:
        comparison = compare_optimizers(
            dataset,
            recipe,
            optimizers,
            rates=rates,
            folder=None if output is None else os.fsencode(output),
            strict=options["strict"],
            processes=options["processes"],
            reading=progress.reading,
            audited=partial(warn_of, progress=progress, dealt=recipe.split is None),
            training=lambda name: partial(progress.training, name=name),
            panel=lambda view: partial(progress.training, name=view),
        )
    if output is not None:
        write_comparison(os.fsencode(output), comparison, title=title_of(comparison).partition("; ")[0])
    return comparison


def chosen_optimizers(text: str) -> tuple[str, ...]:
    """Return the optimizers in `text`, commas between them, each once; raise UsageError naming a strange one."""
    names = tuple(dict.fromkeys(name for part in text.split(",") if (name := part.strip().lower())))
    if strange := [name for name in names if name not in OPTIMIZERS]:
        raise UsageError(f"unknown optimizer {strange[0]!r}; choose among {', '.join(OPTIMIZERS)}")
    return names


def _rates(given: tuple[str, ...]) -> dict[str, float]:
    rates = {}
    for text in given:
        name, _, rate = text.partition("=")
        try:
            rates[name.strip().lower()] = float(rate)
        except ValueError as error:
            raise UsageError(f"expected --learning-rate OPTIMIZER=RATE, such as sgd=0.05, found {text!r}") from error
    return rates


def _recipe(options: dict[str, Any]) -> Recipe:
    from trainer.data.splits import read_split
    from trainer.training.augment import NO_AUGMENTATION, Augmentation
    from trainer.training.options import TrainingOptions
    from trainer.training.recipe import Recipe

    return Recipe(
        name="comparison",
        arch=options["arch"],
        size=options["size"] or SIZE,
        width=options["width"],
        preprocess=preprocess_of(options),
        options=TrainingOptions(
            **{name: options[name] for name in ("engine", "epochs", "batch_size", "schedule", "seed", "threads")},
            # Plain cross-entropy, so that losses are what the paper's are; every film counts the same.
            label_smoothing=0.0,
            class_weights=False,
            augmentation=Augmentation() if options["augment"] else NO_AUGMENTATION,
        ),
        split=None if options["split"] is None else read_split(os.fsencode(options["split"])),
        validation=options["held_out"],
        test=0.0,
        split_seed=options["split_seed"],
        panel=options["panel"],
    )
