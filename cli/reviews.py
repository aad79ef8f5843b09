"""`wetread reviews`: what readers said of the films, checked, measured and exported."""

from __future__ import annotations

import csv
import io
import os

import click

from cli.context import asked_database
from cli.output import NOT_DIAGNOSTIC, emit_json, emit_table, say
from cli.output_file import output_file
from schemas.errors import EXIT_FAILURE_RATE, UsageError

COLUMNS = ("path", "label", "patient_id", "source", "readers", "sha256")


@click.group()
def reviews() -> None:
    """Check, measure and export what readers said of the films in the reading room.

    \b
    Example:
      wetread reviews verify
      wetread reviews agreement
      wetread reviews export --output reviewed.csv
    """


@reviews.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_all(as_json: bool) -> None:
    """List all reviews, oldest first, withdrawn and superseded ones included.

    \b
    Example:
      wetread reviews list
    """
    from wetread.store.reviews.reviews import all_reviews
    from wetread.views.reviews import review_json

    with asked_database() as (_, database), database.reading() as session:
        rows = [review_json(*one) for one in all_reviews(session)]
    if as_json:
        emit_json(rows)
        return
    shown = ("review", "at", "reader", "verdict", "label", "model_label", "blinded", "superseded", "comment", "sha256")
    emit_table(shown, [[row[name] for name in shown] for row in rows], drop=("sha256", "comment", "model_label"))


@reviews.command()
@click.option("--head", metavar="HASH", help="A hash noted earlier; a row must still have it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def verify(ctx: click.Context, head: str | None, as_json: bool) -> None:
    """Check that no review was changed or deleted; exit 3 if one was.

    Each row holds the hash of the one before. That the last rows were taken out shows only by --head: note the last
    hash elsewhere, and give it the next time.

    \b
    Example:
      wetread reviews verify
      wetread reviews verify --head 0f1d…
    """
    from wetread.store.reviews.chain import has_hash, verify

    with asked_database() as (_, database), database.reading() as session:
        found = verify(session)
        missing = head is not None and not has_hash(session, head)
    broken = found.why
    if broken is None and missing:
        broken = "no row has the hash that was noted before: reviews were taken out"
    if as_json:
        emit_json({"reviews": found.rows, "last": found.last, "broken_at": found.broken, "why": broken})
    else:
        emit_table(("reviews", "value"), [("that fit", found.rows), ("last hash", found.last), ("fault", broken)])
    if broken is not None:
        say(f"review {found.broken}: {broken}" if found.broken is not None else broken)
        ctx.exit(EXIT_FAILURE_RATE)


@reviews.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def agreement(as_json: bool) -> None:
    """Measure how readers agree with the model and with each other: share, and Cohen's kappa with a 95% interval.

    What was said blinded, before the model's answer was shown, is counted apart: the difference is automation bias.

    \b
    Example:
      wetread reviews agreement
    """
    from wetread.models.agreement import agreement as measured
    from wetread.store.reviews.compared import compared_reviews

    with asked_database() as (_, database), database.reading() as session:
        found = [(one, measured(one.table)) for one in compared_reviews(session)]
    if as_json:
        emit_json([
            {
                "one": one.one, "other": one.other, "answer": one.answer, "films": sum(one.table.values()),
                "agreed": how and how.agreed, "kappa": how and how.kappa, "low": how and how.low,
                "high": how and how.high,
                "table": [{"one": a, "other": b, "films": count} for (a, b), count in sorted(one.table.items())],
            }
            for one, how in found
        ])  # fmt: skip
    else:
        rows = [
            (
                one.one, one.other, one.answer, how.films, how.agreed, how.kappa,
                None if how.low is None else f"{how.low:.3f} to {how.high:.3f}",
            )
            for one, how in found if how is not None
        ]  # fmt: skip
        emit_table(("reader", "and", "the model's answer", "films", "share agreed", "kappa", "95% interval"), rows)
    say("by film: where patients have several, the intervals are too narrow")
    say(NOT_DIAGNOSTIC)


@reviews.command()
@click.option(
    "--output", default="-", show_default=True, type=click.Path(dir_okay=False), help="The file to write; - is stdout."
)
@click.option(
    "--readers", "least", type=click.IntRange(min=1), default=1, show_default=True,
    help="Only films on which at least so many readers agree and none differs.",
)  # fmt: skip
def export(output: str, least: int) -> None:
    """Write a manifest of the films that readers gave a label, which train, evaluate and models recalibrate take.

    A film is in it when all who looked at it gave it the same label. It is CSV: path, label, patient_id (the hash of
    the DICOM patient's id, else the file's digest: each file a patient of its own), source, readers, sha256. Paths are
    relative to the directory where the file is written, or of standard output, to the films' common one.

    \b
    Example:
      wetread reviews export --output /archive/manifest.csv
      wetread reviews export --readers 2
    """
    from wetread.store.reviews.consensus import consensus_films

    with asked_database() as (_, database), database.reading() as session:
        films, left_out = consensus_films(session, least=least)
    if not films:
        raise UsageError("expected films that readers agree on, found none; `wetread web` is where they say")
    common = os.path.commonpath([os.path.dirname(film.path) for film in films])
    base = common if output == "-" else os.path.dirname(os.path.realpath(os.fsencode(output)))
    if os.path.commonpath([base, common]) != base:
        raise UsageError(
            "expected --output in a directory that holds all the films, since a manifest's paths are relative to its "
            "own, found another; write it to the archive's directory"
        )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for film in films:
        relative = os.fsdecode(os.path.relpath(film.path, base))
        writer.writerow([relative, film.label, film.patient, "reviews", film.readers, film.sha256])
    with output_file(output) as file:
        file.write(text.getvalue().encode("utf-8", "surrogateescape"))
    say(f"{len(films)} films; left out: " + ("; ".join(f"{count} {why}" for why, count in left_out.items()) or "none"))
    say(NOT_DIAGNOSTIC)
