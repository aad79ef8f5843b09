"""`wetread results show`: prints everything that is known of one image."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import click

from cli.completing import files
from cli.context import asked_database
from cli.output import NOT_DIAGNOSTIC, emit_json, emit_table, say
from schemas.predictions import UNCERTAIN
from wetread.path_text import path_text
from worker.stages import BESIDE, IN_TURN

HASH = re.compile("[0-9a-f]{8,64}")
CANDIDATES = 10

if TYPE_CHECKING:
    from datetime import datetime

    from schemas.predictions import Prediction
    from schemas.tables import Model, StoredDecision, StoredHeader, StoredPrediction
    from wetread.models.decision import Decision
    from wetread.settings import Settings
    from wetread.store.results.one_image import KnownImage, RunItem


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

    is_hash = HASH.fullmatch(image) is not None and not os.path.lexists(image)
    with asked_database() as (settings, database), database.reading() as session:
        wanted: dict[str, Any] = {"path": os.path.realpath(os.fsencode(image))}
        if is_hash:
            wanted = {"sha256": _whole_hash(session, image)}
        known = [image_json(settings, one) for one in find_image(session, **wanted) if one.items]
    if not known:
        raise UsageError(f"expected an image that was screened, found none for {image!r}; see `wetread results list`")
    if as_json:
        emit_json(known)
        return
    for one in known:
        _show(one)
    say(NOT_DIAGNOSTIC)


def _whole_hash(session: Any, digits: str) -> str:
    """Return the SHA-256 that begins so; raise UsageError, with the candidates, when several do."""
    from schemas.errors import UsageError
    from wetread.store.results.one_image import hashes_beginning

    found = hashes_beginning(session, digits, limit=CANDIDATES + 1)
    if len(found) > 1:
        shown = "\n  ".join(found[:CANDIDATES])
        raise UsageError(f"expected the digits of one image, found several that begin with {digits}:\n  {shown}")
    return found[0] if found else digits


def image_json(settings: Settings, known: KnownImage) -> dict[str, Any]:
    """Return what `show --json` prints of one image."""
    latest = next((one for one in reversed(known.items) if one.item.sha256), None)
    header = next((one.header for one in reversed(known.items) if one.header is not None), None)
    return {
        "path": path_text(known.path),
        "paths": [path_text(path) for path in known.paths],
        "same_picture_at": [path_text(path) for path in known.shown_at],
        "sha256": None if latest is None else latest.item.sha256,
        "size": known.size,
        "header": None if header is None else _header(header),
        "readings": [_reading(settings, one) for one in known.items if one.item.current],
        "runs": [_run(one) for one in known.items],
    }


def _reading(settings: Settings, one: RunItem) -> dict[str, Any]:
    item, reading, model = one.item, one.reading, one.model
    body: dict[str, Any] = {
        "model": f"{model.name}@{model.version}", "model_digest": model.digest, "state": item.state,
        "reason": item.reason, "detail": item.detail,
    }  # fmt: skip
    if reading is not None:
        of_logit = zip(model.labels, reading.logits, strict=True)
        body |= {
            "label": reading.label, "probability": reading.probability,
            "probabilities": dict(zip(model.labels, reading.probabilities, strict=True)), "logits": dict(of_logit),
            "decision": reading.decision, "why": why(reading, one.decision), "decision_digest": reading.decision_digest,
            "temperature": None if one.decision is None else one.decision.temperature,
            "thresholds": None if one.decision is None else one.decision.thresholds,
            "gate_score": reading.gate_score, "engine": reading.engine, "read_by_run": reading.run_id,
            "read_at": _moment(reading.read_at), "read_from_sha256": reading.sha256, "picture_digest": reading.shown,
        }  # fmt: skip
    return body | {
        "run": item.run_id, "settled_at": _moment(item.settled_at), "attempts": item.attempts, "worker": item.worker,
        "timings": _timings(one), **_of_card(settings, model),
    }  # fmt: skip


def _timings(one: RunItem) -> dict[str, Any] | None:
    """Return what is known of how long it took: no film is timed by itself, the batches of a run are together."""
    if one.item.settled_at is None:
        return None
    mean = {stage: round(1000 * one.stages[stage], 3) for stage in (*IN_TURN, *BESIDE) if stage in one.stages}
    return {
        "seconds_from_run_to_settled": round((one.item.settled_at - one.run_created_at).total_seconds(), 3),
        "settled_together": one.together, "mean_milliseconds_in_its_run": mean,
    }  # fmt: skip


def why(reading: StoredPrediction | Prediction, decision: StoredDecision | Decision | None) -> str:
    """Return which threshold let the label be said, or refused it."""
    least = None if decision is None else decision.thresholds.get(reading.label)
    said = f"{reading.label} at {reading.probability:.4f}"
    if least is None:
        return f"{said}: no threshold is set for it"
    if reading.decision == UNCERTAIN:
        return f"{said} stays below its threshold {least:.4f}: uncertain"
    return f"{said} reaches its threshold {least:.4f}"


def _of_card(settings: Settings, model: Model) -> dict[str, Any]:
    """Return the model's preprocessing and its gate's threshold, where its files are on this machine."""
    from schemas.errors import WetreadError
    from wetread.models.files import read_file
    from wetread.models.shipped import shipped_here

    own = os.path.join(settings.models_directory, model.name, str(model.version))
    try:
        # Of these files only this is shown; they are checked where they are used: `wetread models verify`.
        card = json.loads(read_file(shipped_here(model.directory, model.digest) or own, "model.json", 4 * 1024 * 1024))
        gate = card.get("gate") or {}
        return {"preprocessing": card.get("preprocessing"), "gate_threshold": gate.get("threshold")}
    except (OSError, ValueError, AttributeError, WetreadError):
        return {"preprocessing": None, "gate_threshold": None}


def _header(header: StoredHeader) -> dict[str, Any]:
    names = ("study_uid", "series_uid", "instance_uid", "view", "modality", "pixel_spacing", "patient_hash")
    acquired = header.acquired_on.isoformat() if header.acquired_on else None
    kept = {name: getattr(header, name) for name in names}
    return kept | {"acquired_on": acquired, "display_note": header.display_note or None}


def _run(one: RunItem) -> dict[str, Any]:
    item = one.item
    return {
        "run": one.run, "model": f"{one.model.name}@{one.model.version}", "state": item.state, "reason": item.reason,
        "current": item.current, "found_at": _moment(one.run_created_at), "settled_at": _moment(item.settled_at),
        "attempts": item.attempts, "worker": item.worker, "sha256": item.sha256,
    }  # fmt: skip


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="milliseconds")


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
