"""A model as people and programs see it: what `wetread models list` and `show` print."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wetread.models.registry import ListedModel, Registry


def listed_json(model: ListedModel) -> dict[str, Any]:
    """Return one entry of `models list --json`."""
    registration = model.registration
    return {
        "model": registration.reference,
        "name": registration.name,
        "version": registration.version,
        "aliases": list(model.aliases),
        "model_digest": registration.digest,
        "decision_digest": registration.decision_digest,
        "labels": list(registration.labels),
        "registered_at": registration.registered_at.isoformat(),
        "directory": model.directory,
    }


def read_whole(registry: Registry, listed: ListedModel) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return what `show --json` prints, and the model's documents; raise UsageError where its files are not here."""
    from wetread.models.artefact import read_documents

    artefact = registry.open(listed.registration.digest)
    card, decision = artefact.card, artefact.decision
    documents = read_documents(registry.locate(listed.registration), card)
    return listed_json(listed) | {
        "decision": {"temperature": decision.temperature, "thresholds": dict(decision.thresholds)},
        "preprocessing": card.preprocess.to_json(),
        "architecture": card.architecture.to_json(),
        "parameters": sum(weight.size for weight in artefact.weights.values()),
        "gate": card.gate,
        "provenance": card.provenance.to_json(),
        "accepted_audit": registry.accepted_audit(artefact.digest),
        "metrics": json.loads(documents.get("metrics.json", b"{}")),
        "documents": sorted(documents),
    }, documents


def _audit(audit: Any) -> str:
    """Return the verdict of an audit as the card keeps it."""
    if not isinstance(audit, dict):
        return "none was made"
    found = [finding["text"] for finding in audit.get("findings", [])]
    return ("unsafe: " if audit.get("unsafe") else "") + ("; ".join(found) or "nothing was found")


def _gate(gate: Any) -> str:
    """Return what the input gate refuses."""
    return "none" if gate is None else f"{gate['kind']}: no film where its score is above {gate['threshold']:g}"


def _accuracies(metrics: dict[str, Any]) -> list[tuple[str, object]]:
    """Return the accuracy on each side of the split that the model did not learn from, with its interval."""
    rows: list[tuple[str, object]] = []
    for side in ("test", "validation"):
        of_side = metrics.get(side)
        if isinstance(of_side, dict) and isinstance(accuracy := of_side.get("accuracy"), dict):
            figure = "{value:.3f} ({low:.3f} to {high:.3f})".format(**accuracy)
            rows.append((f"accuracy, {side}", f"{figure}, {of_side['n']} films of {of_side['patients']} patients"))
    return rows


def summary_rows(whole: dict[str, Any]) -> list[tuple[str, object]]:
    """Return the fields that fit on a screen; `--json` has all."""
    provenance, preprocessing = whole["provenance"], whole["preprocessing"]
    return [
        ("model", whole["model"]),
        ("aliases", ", ".join(whole["aliases"])),
        ("digest", whole["model_digest"]),
        ("labels", ", ".join(whole["labels"])),
        ("network", f"{provenance['arch']}, {whole['parameters']:,} parameters"),
        ("input", f"{preprocessing['height']} x {preprocessing['width']}, CLAHE at {preprocessing['working_size']}"),
        ("gate", _gate(whole["gate"])),
        ("temperature", whole["decision"]["temperature"]),
        ("thresholds", ", ".join(f"{label} {least:g}" for label, least in whole["decision"]["thresholds"].items())),
        ("trained", f"{provenance['created_at']} on {provenance['engine']}, seed {provenance['seed']}"),
        ("training data", provenance["data_manifest_digest"]),
        ("split", provenance["split_digest"]),
        ("audit of the data", _audit(provenance["extra"].get("audit"))),
        ("accepted because", whole["accepted_audit"]),
        *_accuracies(whole["metrics"]),
        ("files", whole["directory"]),
        ("documents", ", ".join(whole["documents"])),
    ]
