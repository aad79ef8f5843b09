"""`wetread results show`: prints everything that is known of one image."""

from __future__ import annotations

import os
import re
from typing import Any

import click

from cli.completing import files
from cli.context import asked_database
from cli.output import NOT_DIAGNOSTIC, emit_json, emit_table, say
from worker.stages import BESIDE, IN_TURN

HASH = re.compile("[0-9a-f]{8,64}")
CANDIDATES = 10


@click.command()
@click.argument("image", shell_complete=files)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array, an object an image.")
def show(image: str, as_json: bool) -> None:
    """Show everything known of one image, by its path or its SHA-256, of which 8 digits are enough.

    Where its bytes lie, what the DICOM header says, each model's reading with the threshold that allowed or refused
    it, how the model prepares films, and what became of it in every run.

    \b
    Example:
      wetread results show /archive/2024/171/film.png
      wetread results show 6f1c2a9e --json
    """
    from schemas.errors import UsageError
    from wetread.store.results.one_image import find_image
    from wetread.views.images import image_json, whole_hash

    is_hash = HASH.fullmatch(image) is not None and not os.path.lexists(image)
    with asked_database() as (settings, database), database.reading() as session:
        wanted: dict[str, Any] = {"path": os.path.realpath(os.fsencode(image))}
        if is_hash:
            wanted = {"sha256": whole_hash(session, image)}
        folder, stages = str(settings.models_directory), (*IN_TURN, *BESIDE)
        known = [image_json(folder, one, stages) for one in find_image(session, **wanted) if one.items]
    if not known:
        raise UsageError(f"expected an image that was screened, found none for {image!r}; see `wetread results list`")
    if as_json:
        emit_json(known)
        return
    for one in known:
        _show(one)
    say(NOT_DIAGNOSTIC)


def _show(one: dict[str, Any]) -> None:
    rows: list[tuple[str, object]] = [("path", one["path"])]
    rows += [("same bytes at", path) for path in one["paths"][1:]]
    rows += [("same picture at", path) for path in one["same_picture_at"]]
    rows += [("sha256", one["sha256"]), ("bytes", one["size"])]
    rows += [(name.replace("_", " "), value) for name, value in (one["header"] or {}).items() if value is not None]
    emit_table(("image", "value"), rows)
    for reading in one["readings"]:
        said = reading | {"timings": _timings_said(reading["timings"])}
        shown = [(name.replace("_", " "), _plain(value)) for name, value in said.items() if value is not None]
        emit_table(("reading", "value"), shown)
    columns = ("run", "model", "state", "reason", "current", "found_at", "settled_at", "attempts", "worker")
    emit_table(columns, [[run[column] for column in columns] for run in one["runs"]])


def _timings_said(timings: dict[str, Any] | None) -> str | None:
    if timings is None:
        return None
    mean = ", ".join(f"{stage} {took:.1f}" for stage, took in timings["mean_milliseconds_in_its_run"].items())
    settled = f"settled {timings['seconds_from_run_to_settled']:.1f} s after its run began, one of "
    return f"{settled}{timings['settled_together']} together" + (
        f"; ms of that run's mean film: {mean}" if mean else ""
    )


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(part)}" for name, part in value.items())
    return f"{value:.4f}" if isinstance(value, float) else value
