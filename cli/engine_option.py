"""The option --engine, the same for every command that reads films with a trained model."""

from __future__ import annotations

import click

from schemas.predictions import ENGINES

engine_option = click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="numpy",
    show_default=True,
    help="What computes the network; keras and onnx need their extra.",
)
