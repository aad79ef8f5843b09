"""`wetread steps`: what happens to an image before the network sees it."""

from __future__ import annotations

import os

import click

from cli.accept_options import accept_options, accepted
from cli.completing import MODEL
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
@click.option(
    "--model", type=MODEL, default="production", show_default=True, help="The model whose preprocessing is shown."
)
@accept_options
def steps(
    image: str,
    output: str,
    model: str,
    accept_modality: tuple[str, ...],
    accept_body_part: tuple[str, ...],
    accept_view: tuple[str, ...],
) -> None:
    """Draw an image's original, CLAHE and brightness side by side.

    \b
    Example:
      wetread steps film.png --output steps.png
    """
    from schemas.errors import Rejected, UsageError
    from wetread.imaging.decode import decode
    from wetread.imaging.files import read_file
    from wetread.imaging.steps_picture import draw_steps
    from wetread.models.looking_up import look_up_model
    from wetread.settings import load_settings

    settings = load_settings()
    words = accepted(settings, accept_modality, accept_body_part, accept_view)
    preprocess = look_up_model(settings, model)[1].card.preprocess
    folder, name = os.path.split(os.path.realpath(os.fsencode(image)))
    try:
        drawn = draw_steps(decode(read_file(folder, name).data, preprocess.enough, words).pixels, preprocess)
    except Rejected as error:
        raise UsageError(f"expected an image that can be read, found {error}") from error
    with output_file(output) as file:
        file.write(drawn)
    if output != "-":
        say(f"wrote {output}")
