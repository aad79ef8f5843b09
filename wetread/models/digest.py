"""The two digests of a model: of what its readings depend on, and of how it decides.

The model digest is the SHA-256 of the canonical JSON of exactly

    format          the version of this list
    architecture    layers, their settings and order, and the input's shape
    weights_sha256  of the bytes of weights.safetensors
    labels          in the order of the logits
    preprocessing   every step from grey pixels to the network's input
    gate            the statistics of the input gate, or null

and of nothing else: two files that give the same logits for the same reason have the same digest
whatever they are called. It does not cover name, version, provenance, metrics, plots or the card, which
model.json seals by itself, nor the decision, which has a digest of its own over

    format, model_digest, temperature, thresholds

so that a recalibration changes what is said of stored logits and not which model read them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from wetread.models.strict_json import canonical

DIGEST_FORMAT = 1


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of `data` as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def model_digest(
    *,
    architecture: Mapping[str, Any],
    weights_sha256: str,
    labels: Sequence[str],
    preprocessing: Mapping[str, Any],
    gate: Mapping[str, Any] | None,
) -> str:
    """Return the digest that a reading belongs to; the parts are in their JSON form."""
    return sha256_hex(
        canonical(
            {
                "format": DIGEST_FORMAT,
                "architecture": architecture,
                "weights_sha256": weights_sha256,
                "labels": list(labels),
                "preprocessing": preprocessing,
                "gate": gate,
            }
        )
    )


def decision_digest(*, model_digest: str, temperature: float, thresholds: Mapping[str, float]) -> str:
    """Return the digest of a decision record; `thresholds` is label -> least probability."""
    return sha256_hex(
        canonical(
            {
                "format": DIGEST_FORMAT,
                "model_digest": model_digest,
                "temperature": float(temperature),
                "thresholds": {label: float(least) for label, least in thresholds.items()},
            }
        )
    )
