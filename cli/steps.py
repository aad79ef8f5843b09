"""`wetread steps`: what happens to an image before the network sees it."""

from __future__ import annotations

import os

import click

from cli.completing import MODEL
from cli.context import opened_registry
from cli.output import say
from cli.output_file import output_file


@click.command()
@click.argument("image", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--output",
    type=click.Path(dir_okay=False),
    default="steps.png",
    show_default=True,
    help="The PNG to write; - is stdout.",
)
@click.option("--model", type=MODEL, default="production", show_default=True, help="Whose preprocessing.")
def steps(image: str, output: str, model: str) -> None:
    """Draw an image's original, CLAHE and brightness side by side.

    \b
    Example:
      wetread steps film.png --output steps.png
    """
    from schemas.errors import Rejected, UsageError
    from wetread.imaging.decode import decode
    from wetread.imaging.files import read_file
    from wetread.imaging.steps import draw_steps

    with opened_registry() as registry:
        preprocess = registry.open(registry.resolve(model).digest).card.preprocess
    folder, name = os.path.split(os.path.realpath(os.fsencode(image)))
    try:
        drawn = draw_steps(decode(read_file(folder, name).data, preprocess.enough).pixels, preprocess)
    except Rejected as error:
        raise UsageError(f"expected an image that can be read, found {error}") from error
    with output_file(output) as file:
        file.write(drawn)
    if output != "-":
        say(f"wrote {output}")
