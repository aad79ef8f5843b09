"""Shows a model to people and programs: what `wetread models list` and `show` print."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cli.output import emit_table

if TYPE_CHECKING:
    from wetread.models.artefact import Artefact
    from wetread.models.model_comparison import MeasuredFigures, ModelStanding
    from wetread.models.registry import ListedModel, Registry
    from wetread.store.models.registrations import Registration


def listed(registry: Registry, registration: Registration) -> ListedModel:
    """Return a registered model with its aliases and its folder."""
    return next(model for model in registry.models() if model.registration.digest == registration.digest)


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
    """Return what `show --json` prints, and the model's documents; raise UsageError where its files are not here.

    Its card has what was found of its maps since, behind what it was written with.
    """
    from wetread.models.artefact import read_documents
    from wetread.models.looking_up import known_map_checks
    from wetread.settings import load_settings
    from wetread.views.map_checks import map_check_json, map_checks_card

    artefact = registry.open(listed.registration.digest)
    card, decision = artefact.card, artefact.decision
    documents = dict(read_documents(registry.locate(listed.registration), card))
    checks = known_map_checks(load_settings(), listed.registration.digest)
    if checks and "MODEL_CARD.md" in documents:
        documents["MODEL_CARD.md"] += b"\n" + map_checks_card(checks).encode()
    return listed_json(listed) | {
        "decision": {"temperature": decision.temperature, "thresholds": dict(decision.thresholds)},
        "preprocessing": card.preprocess.to_json(),
        "architecture": card.network.to_json(),
        "parameters": _parameters(artefact),
        "gate": card.gate,
        "provenance": card.provenance.to_json(),
        "accepted_audit": registry.accepted_audit(artefact.digest),
        "metrics": json.loads(documents.get("metrics.json", b"{}")),
        "documents": sorted(documents),
        "map_checks": [map_check_json(one) for one in checks.values()],
    }, documents


def _parameters(artefact: Artefact) -> int:
    from wetread.models.another_network import AnotherNetwork

    network = artefact.card.network
    if isinstance(network, AnotherNetwork):
        return network.parameters
    return sum(weight.size for weight in artefact.weights.values())


def known_figures(registry: Registry, registration: Registration) -> MeasuredFigures | None:
    """Return a model's main figures; None where it has none, or where its files are not as they were registered."""
    from schemas.errors import ArtefactError

    try:
        return registry.measured(registration)
    except ArtefactError:
        return None  # `models verify` says what is wrong with it


def figure_cells(measured: MeasuredFigures | None) -> tuple[str, str, str]:
    """Return a model's accuracy, macro AUROC, and of whom they are, as cells."""
    if measured is None:
        return "", "", ""
    values = (measured.figures.get(name) for name in ("accuracy", "macro_auroc"))
    accuracy, auroc = ("" if figure is None else f"{figure['value']:.3f}" for figure in values)
    return accuracy, auroc, f"{measured.patients} {measured.of}"


def show_standing(standing: ModelStanding) -> None:
    """Print a model's figures beside those of what serves now, and their difference where it was measured."""
    rows: list[tuple[str, str, str, str]] = [_standing_row(standing.model.reference, standing.measured)]
    if standing.serving is not None:
        rows.append(_standing_row(f"{standing.serving.reference}, which serves now", standing.serving_measured))
    if standing.difference is not None:
        rows.append(_standing_row("the first minus the other, on the same films", standing.difference))
    emit_table(("model", "accuracy", "macro AUROC", "of"), rows)


def _standing_row(name: str, measured: MeasuredFigures | None) -> tuple[str, str, str, str]:
    from wetread.models.model_comparison import shown

    if measured is None:
        return name, "not measured", "not measured", ""
    values = (measured.figures.get(figure) for figure in ("accuracy", "macro_auroc"))
    accuracy, auroc = ("" if figure is None else shown(figure) for figure in values)
    return name, accuracy, auroc, f"{measured.patients} patients ({measured.of})"


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
        ("network", _network(whole)),
        ("input", f"{preprocessing['height']} x {preprocessing['width']}, {_made(preprocessing)}"),
        ("gate", _gate(whole["gate"])),
        ("temperature", whole["decision"]["temperature"]),
        ("thresholds", ", ".join(f"{label} {least:g}" for label, least in whole["decision"]["thresholds"].items())),
        _origin(whole),
        ("training data", provenance["data_manifest_digest"]),
        ("split", provenance["split_digest"]),
        ("audit of the data", _audit(provenance["extra"].get("audit"))),
        ("accepted because", whole["accepted_audit"]),
        *_accuracies(whole["metrics"]),
        ("files", whole["directory"]),
        ("documents", ", ".join(whole["documents"])),
    ]


def _network(whole: dict[str, Any]) -> str:
    another = whole["architecture"].get("onnx")
    text = f"{whole['provenance']['arch']}, {whole['parameters']:,} parameters"
    return text if another is None else f"{text}; another's ONNX file that gives {another['gives']}: --engine onnx"


def _made(preprocessing: dict[str, Any]) -> str:
    how = "lung fields" if preprocessing.get("lung_field") else "as it is" if preprocessing.get("plain") else "CLAHE"
    return f"{how} at {preprocessing['working_size']}"


def _origin(whole: dict[str, Any]) -> tuple[str, str]:
    provenance = whole["provenance"]
    if "onnx" in whole["architecture"]:
        producer = provenance["extra"].get("imported", {}).get("producer") or "an unknown program"
        return "imported", f"{provenance['created_at']}, from {producer}; nobody says here what it learned from"
    return "trained", f"{provenance['created_at']} on {provenance['engine']}, seed {provenance['seed']}"
