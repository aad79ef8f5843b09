"""What a network needs beside it when it leaves the artefact: labels, preprocessing, temperature, digests."""

from __future__ import annotations

from wetread.models.artefact import Artefact
from wetread.models.strict_json import canonical

NOTICE = "Research software: not for diagnostic use."


def describe_network(artefact: Artefact) -> dict[str, str]:
    """Return name -> text, JSON where it is more than one word; the digests are those that readings carry."""
    card, decision = artefact.card, artefact.decision
    return {
        "notice": NOTICE,
        "name": card.name,
        "version": str(card.version),
        "labels": _json(list(card.labels)),
        "preprocessing": _json(card.preprocess.to_json()),
        "probabilities": "softmax(logits / temperature)",
        "temperature": repr(decision.temperature),
        "thresholds": _json(dict(decision.thresholds)),
        "model_digest": artefact.digest,
        "decision_digest": decision.digest,
    }


def _json(body: object) -> str:
    return canonical(body).decode()
