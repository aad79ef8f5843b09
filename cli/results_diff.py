"""`wetread results diff`: compares two models over the same images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.completing import MODEL, files
from cli.context import asked_database
from cli.output import NOT_DIAGNOSTIC, emit_json, emit_table, percent, say
from cli.result_options import model_digest
from cli.run_number import LARGEST
from wetread.path_text import path_text
from wetread.views.asked_values import chosen_path

if TYPE_CHECKING:
    from wetread.store.results.diff import ChangedFilm


@click.command()
@click.argument("first", type=MODEL, metavar="MODEL_A")
@click.argument("second", type=MODEL, metavar="MODEL_B")
@click.option(
    "--of", type=click.Choice(["label", "decision"]), default="label", show_default=True,
    help="What to compare: the most probable label, or the decision by the thresholds.",
)  # fmt: skip
@click.option(
    "--path",
    shell_complete=files,
    help="Only paths that begin with this: from /, or relative to the current directory or to a root.",
)
@click.option(
    "--limit", type=click.IntRange(min=0, max=LARGEST - 1), default=20, show_default=True,
    help="List at most so many of the films on which the two models differ; 0: all.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def diff(first: str, second: str, of: str, path: str | None, limit: int, as_json: bool) -> None:
    """Compare two models over the images that both have read.

    Agreement, Cohen's kappa with a 95% interval (by film, not by patient), a table of what one says against what the
    other says, and the films that changed sides.

    \b
    Example:
      wetread results diff cxr@2 cxr@3
      wetread results diff shipped production --of decision --limit 0 --json
    """
    from schemas.errors import UsageError
    from wetread.models.agreement import agreement
    from wetread.store.results.diff import agreement_table, changed_films, images_read

    with asked_database() as (_, database):
        digests = model_digest(database, first), model_digest(database, second)
        if digests[0] == digests[1]:
            raise UsageError(f"expected two models, found one: {first} and {second} are the same")
        where: dict[str, Any] = {"of": of, "path": None if path is None else chosen_path(database, path)}
        with database.reading() as session:
            table = agreement_table(session, *digests, **where)
            read = [images_read(session, digest, where["path"]) for digest in digests]
            films = list(changed_films(session, *digests, **where, limit=limit or None))
    found = agreement(table)
    if found is None:
        raise UsageError(
            f"expected images that both models have read, found none: {first} read {read[0]}, {second} {read[1]}; "
            "screen the same archive with each: wetread screen DIR --model MODEL"
        )
    changed = found.films - sum(count for (one, other), count in table.items() if one == other)
    if as_json:
        kappa = None if found.kappa is None else {"value": found.kappa, "low": found.low, "high": found.high}
        emit_json({
            "model_a": first, "model_a_digest": digests[0], "model_b": second, "model_b_digest": digests[1], "of": of,
            "images": found.films, "only_a": read[0] - found.films, "only_b": read[1] - found.films,
            "agreement": found.agreed, "kappa": kappa, "changed": changed,
            "table": [{"a": one, "b": other, "images": count} for (one, other), count in table.items()],
            "films": [_film(film) for film in films],
        })  # fmt: skip
        return
    kappa_text = "-" if found.kappa is None else f"{found.kappa:.3f} ({found.low:.3f} to {found.high:.3f})"
    emit_table(("images of both", "agreement", "kappa (95% by film)", "only A", "only B"), [
        (found.films, percent(found.films - changed, found.films), kappa_text, *(count - found.films for count in read))
    ])  # fmt: skip
    names = sorted({name for pair in table for name in pair})
    emit_table(
        (f"{first} \\ {second}", *names), [(one, *(table.get((one, other), 0) for other in names)) for one in names]
    )
    if films:
        emit_table(("path", "A says", "at", "B says", "at"), [_row(film, of) for film in films])
    if len(films) < changed:
        say(f"{changed} films changed sides; --limit 0 lists all")
    say(NOT_DIAGNOSTIC)


def _film(film: ChangedFilm) -> dict[str, Any]:
    said = [dict(zip(("label", "probability", "decision"), side, strict=True)) for side in (film.first, film.second)]
    return {"path": path_text(film.path), "a": said[0], "b": said[1]}


def _row(film: ChangedFilm, of: str) -> tuple[object, ...]:
    (label, probability, decision), (label_b, probability_b, decision_b) = film.first, film.second
    by_label = of == "label"
    return (
        path_text(film.path), label if by_label else decision, probability, label_b if by_label else decision_b,
        probability_b,
    )  # fmt: skip
