"""`wetread explain`: where a model looks in a film."""

from __future__ import annotations

import os

import click

from cli.accept_options import accept_options, accepted
from cli.completing import MODEL
from cli.output import NOT_DIAGNOSTIC, emit_json, emit_table, say
from cli.output_file import output_file

METHODS = ("additive", "occlusion")
"""As in wetread.explain.film_map, which help must not import; a test holds the two equal."""


@click.command()
@click.argument("film", type=click.Path(exists=True, dir_okay=False))
@click.option("--model", type=MODEL, default="production", show_default=True, help="Which model.")
@click.option(
    "--method", type=click.Choice(METHODS), default="additive", show_default=True,
    help="additive: exact, for networks that end in average pooling; occlusion: for any network, by covering squares.",
)  # fmt: skip
@click.option("--label", help="The label to explain.  [default: the film's most probable]")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False), help="A PNG to write: the film, and beside it the map on it."
)
@click.option(
    "--map-only", is_flag=True, help="Write the map alone, transparent where nothing speaks for or against the label."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with the map's values.")
@accept_options
def explain(
    film: str,
    model: str,
    method: str,
    label: str | None,
    output: str | None,
    map_only: bool,
    as_json: bool,
    accept_modality: tuple[str, ...],
    accept_body_part: tuple[str, ...],
    accept_view: tuple[str, ...],
) -> None:
    """Show where a model looks in a film: what speaks for a label, and what against it.

    The additive map and the bias are the logit. A map says what the model used, not that it is right, nor why.

    \b
    Example:
      wetread explain film.png --output map.png
      wetread explain film.png --label pneumonia --method occlusion --json
    """
    from schemas.errors import Rejected, UsageError
    from wetread.explain.film_map import beside_png, film_map, overlay_png
    from wetread.imaging.decode import decode
    from wetread.imaging.files import read_file
    from wetread.models.looking_up import look_up_model
    from wetread.settings import load_settings

    settings = load_settings()
    words = accepted(settings, accept_modality, accept_body_part, accept_view)
    registration, artefact = look_up_model(settings, model)
    preprocess = artefact.card.preprocess
    folder, name = os.path.split(os.path.realpath(os.fsencode(film)))
    try:
        pixels = decode(read_file(folder, name).data, preprocess.enough, words).pixels
        found = film_map(artefact, pixels, method, label)
        levels = preprocess.steps(pixels).brightened
    except Rejected as error:
        raise UsageError(f"expected a film that can be read, found {error}") from error
    if output is not None:
        with output_file(output) as file:
            file.write(overlay_png(found, *pixels.shape) if map_only else beside_png(found, levels))
    added_up = None if found.bias is None else float(found.values.sum()) + found.bias
    if as_json:
        emit_json({
            "model": registration.reference, "model_digest": registration.digest, "method": found.method,
            "label": found.label, "logit": found.logit, "bias": found.bias, "map_and_bias": added_up,
            "map": found.values.tolist(),
        })  # fmt: skip
    elif output != "-":
        rows = [("model", registration.reference), ("method", found.method), ("label", found.label)]
        rows += [("logit", f"{found.logit:.4f}")]
        rows += [] if added_up is None else [("map and bias", f"{added_up:.4f}")]
        emit_table(("reading", "value"), rows)
    if output not in (None, "-"):
        say(f"wrote {output}")
    say(NOT_DIAGNOSTIC)
