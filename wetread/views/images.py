"""Everything that is known of one image, as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from schemas.errors import UsageError, WetreadError
from schemas.predictions import UNCERTAIN, Prediction
from schemas.tables import Model, StoredDecision, StoredHeader, StoredPrediction
from wetread.models.files import read_file
from wetread.models.shipped import shipped_here
from wetread.path_text import path_text
from wetread.store.results.one_image import KnownImage, RunItem, hashes_beginning

if TYPE_CHECKING:  # `results show` needs no NumPy
    from wetread.models.decision import Decision

CANDIDATES = 10


def whole_hash(session: Any, digits: str) -> str:
    """Return the SHA-256 that begins so; raise UsageError, with the candidates, when several do."""
    found = hashes_beginning(session, digits, limit=CANDIDATES + 1)
    if len(found) > 1:
        shown = "\n  ".join(found[:CANDIDATES])
        raise UsageError(f"expected the digits of one image, found several that begin with {digits}:\n  {shown}")
    return found[0] if found else digits


def image_json(models_directory: str, known: KnownImage, stages: Sequence[str]) -> dict[str, Any]:
    """Return what `results show --json` prints of one image. stages: of a worker's time, whose means are told."""
    latest = next((one for one in reversed(known.items) if one.item.sha256), None)
    header = next((one.header for one in reversed(known.items) if one.header is not None), None)
    return {
        "path": path_text(known.path),
        "paths": [path_text(path) for path in known.paths],
        "same_picture_at": [path_text(path) for path in known.shown_at],
        "sha256": None if latest is None else latest.item.sha256,
        "size": known.size,
        "header": None if header is None else _header(header),
        "readings": [_reading(models_directory, one, stages) for one in known.items if one.item.current],
        "runs": [_run(one) for one in known.items],
    }


def _reading(models_directory: str, one: RunItem, stages: Sequence[str]) -> dict[str, Any]:
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
        "timings": _timings(one, stages), **_of_card(models_directory, model),
    }  # fmt: skip


def _timings(one: RunItem, stages: Sequence[str]) -> dict[str, Any] | None:
    """Return what is known of how long it took: no film is timed by itself, the batches of a run are together."""
    if one.item.settled_at is None:
        return None
    mean = {stage: round(1000 * one.stages[stage], 3) for stage in stages if stage in one.stages}
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


def _of_card(models_directory: str, model: Model) -> dict[str, Any]:
    """Return the model's preprocessing and its gate's threshold, where its files are on this machine."""
    own = os.path.join(models_directory, model.name, str(model.version))
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
