"""`wetread train-field`: trains the segmenter that finds the lungs, from films with masks."""

from __future__ import annotations

import os
from typing import Any

import click

from cli.data_options import data_options, layout_of
from cli.figures import estimate
from cli.numerics import set_up_products
from cli.output import emit_json, emit_table, say
from schemas.errors import UsageError


@click.command("train-field")
@click.argument("data", type=click.Path())
@click.option(
    "--output", required=True, type=click.Path(dir_okay=False), help="The new file to write the segmenter to."
)
@click.option("--epochs", default=16, show_default=True, help="How often every training film is seen.")
@click.option("--held-out", default=0.2, show_default=True, help="Share of the patients to judge on.")
@click.option(
    "--split",
    type=click.Path(),
    help="A csv of patient_id,side; patients whose side there is not train are judged on too.",
)
@click.option(
    "--seed", default=0, show_default=True, help="Seed that deals the patients, and of first weights and augmentation."
)
@data_options
@click.option("--processes", default=2, show_default=True, help="That read films.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def train_field(data: str, **options: Any) -> None:
    """Train the segmenter that finds the lungs, on films with masks.

    DATA has a manifest.csv with the columns path, mask and patient_id; a mask is a picture, black outside the lungs.
    The column finding, or what --label-column names, says what a film shows: agreement is given for each of its values.
    'wetread train --lung-field FILE' makes a model that reads lungs alone, and has the segmenter in it.

    \b
    Example:
      wetread train-field ../shared/data/lung_masks --output field.safetensors --split trainer/splits/cxr.csv
    """
    set_up_products()
    from trainer.data.splits import read_split
    from trainer.field.studying import study_field

    if os.path.lexists(options["output"]):
        raise UsageError(f"{options['output']}: expected no file yet, found one; choose another place")
    split = None if options["split"] is None else read_split(os.fsencode(options["split"]))
    data_bytes, report = study_field(
        os.fsencode(data),
        layout_of(options | {"label_column": options["label_column"] or "finding"}),
        epochs=options["epochs"],
        seed=options["seed"],
        held_out=options["held_out"],
        split=split,
        processes=options["processes"],
        report=lambda epoch, loss: say(f"epoch {epoch}/{options['epochs']}: loss {loss:.4f}"),
    )
    with open(options["output"], "xb") as file:
        file.write(data_bytes)
    if options["as_json"]:
        emit_json({"file": os.path.abspath(options["output"]), **report})
        return
    parts = {"all": report["held_out"], **report["held_out"]["kinds"]}
    rows = [(kind, part["n"], part["patients"], estimate(part["dice"])) for kind, part in parts.items()]
    title = "held-out films: Dice coefficient of the lung field found and its mask; 95% intervals by patient"
    emit_table(("films", "n", "patients", "Dice"), rows, title=title)
    say(f"next: wetread train DATA --lung-field {options['output']}")
