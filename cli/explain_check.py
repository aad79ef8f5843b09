"""`wetread explain check`: how far a model's maps are to be trusted."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from cli.accept_options import accept_options, accepted
from cli.completing import MODEL, directories
from cli.context import opened_database
from cli.output import NOT_DIAGNOSTIC, emit_json, emit_table, say

if TYPE_CHECKING:
    from schemas.films import Accepted
    from wetread.models.artefact import Artefact


LINE_SECONDS = 10.0
"""Between two lines that say how far it is."""


@click.command()
@click.argument("model", type=MODEL)
@click.argument("directory", type=click.Path(exists=True, file_okay=False), shell_complete=directories)
@click.option(
    "--films", type=click.IntRange(10, 100_000), default=90, show_default=True, help="So many, drawn by chance."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of every chance.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, an object a method.")
@accept_options
def check(
    model: str,
    directory: str,
    films: int,
    seed: int,
    as_json: bool,
    accept_modality: tuple[str, ...],
    accept_body_part: tuple[str, ...],
    accept_view: tuple[str, ...],
) -> None:
    """Measure whether a model's maps say what it uses, and refuse the methods of which it does not show.

    Deletion and insertion curves with two fills, against a random order and the centre; the maps of the network with
    its weights shuffled layer by layer; the maps under a little noise. It is written in the model's card (`wetread
    models show --card`). A method that does not beat both, by a 95% interval, is refused for this model from then on,
    by `wetread explain` and in the reading room, until a check lets it pass.

    \b
    Example:
      wetread explain check production /archive
      wetread explain check chest@3 /archive --films 200 --json
    """
    from schemas.errors import UsageError
    from wetread.clock import utc_now
    from wetread.explain.checking import check_maps
    from wetread.models.looking_up import look_up_model
    from wetread.store.models.map_checks import KeptMapCheck, keep_map_check
    from wetread.views.map_checks import map_check_json

    with opened_database() as (settings, database):
        registration, artefact = look_up_model(settings, model)
        words = accepted(settings, accept_modality, accept_body_part, accept_view)
        images = _drawn(directory, artefact, words, films, seed)
        if len(images) < films:
            say(f"{len(images)} films can be read below {directory}, fewer than {films}: all are taken")
        found = check_maps(artefact, images, seed=seed, told=_told(len(images)))
        now = utc_now()
        kept = [
            KeptMapCheck(
                one.method, one.films, one.why,
                {
                    "deletion": dict(one.deletion), "insertion": dict(one.insertion),
                    "above": {name: list(values) for name, values in one.above.items()},
                    "broken": [list(pair) for pair in one.broken], "stable": one.stable,
                },
                now,
            )
            for one in found
        ]  # fmt: skip
        with database.writing() as session:
            for one in kept:
                keep_map_check(session, registration.digest, one)
    if not found:
        raise UsageError("expected a method for this network, found none")
    if as_json:
        emit_json([map_check_json(one) for one in kept])
    else:
        _show([map_check_json(one) for one in kept])
    for one in kept:
        say(f"{one.method}: " + (f"refused for {registration.reference}: {one.refused}" if one.refused else "shown"))
    say(NOT_DIAGNOSTIC)


def _drawn(directory: str, artefact: Artefact, words: Accepted, films: int, seed: int) -> list[Any]:
    """Return preprocessed films below a directory, at most so many, drawn by chance; what is no film is left out."""
    import numpy as np

    from producer.walk import files_under
    from schemas.errors import Rejected
    from wetread.imaging.decode import decode
    from wetread.imaging.files import read_file

    root, preprocess = os.path.realpath(os.fsencode(directory)), artefact.card.preprocess
    paths = sorted(found.path for found in files_under(root))
    images: list[Any] = []
    for place in np.random.default_rng(seed).permutation(len(paths)):
        if len(images) == films:
            break
        try:
            images.append(preprocess.apply(decode(read_file(root, paths[place]).data, preprocess.enough, words).pixels))
        except Rejected:
            continue
    return images


def _told(films: int) -> Callable[[int], None]:
    """Return what says every LINE_SECONDS how many films are through."""
    said = time.monotonic()

    def told(done: int) -> None:
        nonlocal said
        if time.monotonic() - said >= LINE_SECONDS:
            said = time.monotonic()
            say(f"{done} of {films} films")

    return told


def _show(rows: list[dict[str, Any]]) -> None:
    def two(by_fill: dict[str, float]) -> str:
        return ", ".join(f"{fill} {value:.3f}" for fill, value in by_fill.items())

    def lead(found: list[float]) -> str:
        return f"{found[0]:+.3f} ({found[1]:+.3f} to {found[2]:+.3f})"

    def last(broken: list[Any]) -> str:
        return f"{broken[-1][1]:+.3f}" if broken else "-"  # another's file has no layers to shuffle

    emit_table(
        ("method", "films", "deletion", "insertion", "over random", "over the centre", "stable", "all shuffled"),
        [
            (
                row["method"], row["films"], two(row["deletion"]), two(row["insertion"]), lead(row["above"]["random"]),
                lead(row["above"]["centre"]), f"{row['stable']:.3f}", last(row["broken"]),
            )
            for row in rows
        ],
    )  # fmt: skip
