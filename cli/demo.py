"""`wetread demo`: the whole path on drawn films, with the commands that a user would type."""

from __future__ import annotations

import csv
import os
import shlex
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

import click

from cli.output import emit_table, percent, say
from schemas.errors import UsageError, WetreadError

MARK = ".wetread-demo"
"""A file that says that a folder is a demo's, and may be drawn anew."""

LABELLED_PATIENTS = 170
ARCHIVE_PATIENTS = 90

LEAST_LABELLED = 60
"""Patients below which a label would have none to validate on."""

TRAINING = ("--size", "64", "--width", "12", "--epochs", "16", "--batch-size", "16", "--test", "0", "--no-panel")


@click.command()
@click.option("--directory", default="demo", show_default=True, type=click.Path(file_okay=False), help="Where to draw.")
@click.option("--seed", default=0, show_default=True, help="Seed of the drawings and the training.")
@click.option("--draw-only", is_flag=True, help="Only draw the films, to try other commands on them.")
@click.option(
    "--patients", type=click.IntRange(min=1), default=ARCHIVE_PATIENTS, show_default=True,
    help="How many films to screen; nearly twice as many, and at least 60, are drawn to learn from.",
)  # fmt: skip
def demo(directory: str, seed: int, draw_only: bool, patients: int) -> None:
    """Draw an archive, train on part of it, screen the rest.

    The films are phantoms, drawn by the program: ribs, lungs, heart; clear, with a focal or a diffuse opacity. No
    server and no TensorFlow are needed; it takes under two minutes on two cores.

    \b
    Example:
      wetread demo
      wetread demo --draw-only --directory practice
    """
    started = time.monotonic()
    place = _cleared(Path(directory))
    labelled = max(LEAST_LABELLED, -(-patients * LABELLED_PATIENTS // ARCHIVE_PATIENTS))
    say(f"Drawing {labelled} patients to learn from and {patients} others to screen, in {place}/")
    _draw(place, seed, labelled, patients)
    if draw_only:
        say(f"{place}/labelled has manifest.csv with a label for each film, {place}/archive has films alone")
        return
    _settle_in(place)
    _run("train", f"{place}/labelled", "--name", "demo", *TRAINING, "--seed", str(seed))
    _run("models", "promote", "demo@1", "--accept-evaluation", "it reads drawings, and nothing else")
    _run("screen", f"{place}/archive")
    _run("results", "list", "--label", "covid", "--limit", "5")
    _compare(place)
    say(f"\nThat took {time.monotonic() - started:.0f} s. Everything is in {place}/: films, model, database.")
    say("Where to look next:")
    program = "wetread" if shutil.which("wetread") else sys.argv[0]
    for words, why in (
        (f"WETREAD_HOME={place}/home {program} results summary", "what was read, by label"),
        (f"WETREAD_HOME={place}/home {program} models show demo", "the model and its card"),
        (f"WETREAD_HOME={place}/home {program} screen {place}/archive", "again: all of it is skipped"),
        (f"{program} screen YOUR-DIRECTORY", "your films, with the model that ships"),
    ):
        say(f"  {words}\n      {why}")


def _cleared(place: Path) -> Path:
    """Return an empty folder for the demo; raise UsageError when something else is there."""
    if place.exists():
        if any(place.iterdir()) and not (place / MARK).exists():
            raise UsageError(f"expected to draw in {str(place)!r}, found other files there; name another --directory")
        shutil.rmtree(place)
    place.mkdir(parents=True)
    (place / MARK).touch()
    return place


def _settle_in(place: Path) -> None:
    """Give the demo a database and models of its own: what a person has is not touched, no server is used."""
    from wetread.settings import load_settings

    for name in list(os.environ):
        if name.startswith("WETREAD_"):
            del os.environ[name]
    os.environ["WETREAD_HOME"] = str(place / "home")
    load_settings.cache_clear()


def _draw(place: Path, seed: int, labelled: int, archive: int) -> None:
    from trainer.phantoms.archive import draw_archive

    draw_archive(place / "labelled", patients=labelled, seed=2 * seed)
    draw_archive(place / "archive", patients=archive, seed=2 * seed + 1)
    (place / "archive" / "manifest.csv").rename(place / "drawn.csv")


def _run(*words: str) -> None:
    from cli.main import wetread

    say("\n$ wetread " + shlex.join(words))
    code = wetread.main(list(words), prog_name="wetread", standalone_mode=False)
    if code:
        raise WetreadError(f"the demo's step `wetread {shlex.join(words)}` ended with exit {code}")


def _compare(place: Path) -> None:
    """Print how the readings compare with what was drawn."""
    from cli.context import opened_database
    from wetread.store.results.finding import Filters, find_results

    with (place / "drawn.csv").open(encoding="utf-8", newline="") as file:
        drawn = {row["path"]: row["label"] for row in csv.DictReader(file)}
    root = os.fsencode(os.path.realpath(place / "archive")) + b"/"
    with opened_database() as (_, database), database.reading() as session:
        read = {os.fsdecode(row.path.removeprefix(root)): row.label for row in find_results(session, Filters())}
    pairs = Counter((label, read.get(path)) for path, label in drawn.items())
    labels = sorted(set(drawn.values()))
    say("\nDrawn as (rows) and read as (columns). They are drawings: this says that the program works, no more.")
    emit_table(
        ("drawn as", *labels, "right"),
        [
            (label, *(pairs[label, other] for other in labels), percent(pairs[label, label], _row(pairs, label)))
            for label in labels
        ],
    )


def _row(pairs: Counter[tuple[str, str | None]], label: str) -> int:
    return sum(count for (drawn, _), count in pairs.items() if drawn == label)
