"""Turns logits into a label, its probability and a decision.

The network gives logits, which are stored. The decision record says how to read them: a temperature that
makes probabilities as sure as they are right (Guo et al. 2017, "On Calibration of Modern Neural
Networks"), and for each label the least probability at which it is said at all. Both may change without
a pixel being read again, so the record has a digest of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.errors import ArtefactError
from schemas.predictions import UNCERTAIN, Prediction
from wetread.models.digest import DIGEST_FORMAT, decision_digest
from wetread.models.strict_json import Kinds, taken

FloatArray = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Decision:
    """How one model's logits are read.

    temperature: above 0; logits are divided by it before softmax.
    thresholds: label -> least probability from 0 to 1; a label without one is always allowed.
    """

    model_digest: str
    temperature: float = 1.0
    thresholds: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise ArtefactError(f"decision: expected a temperature above 0, found {self.temperature}")
        for label, least in self.thresholds.items():
            if not 0.0 <= least <= 1.0:
                raise ArtefactError(f"decision: expected a threshold from 0 to 1 for {label!r}, found {least}")
        object.__setattr__(self, "temperature", float(self.temperature))
        thresholds = {label: float(least) for label, least in sorted(self.thresholds.items())}
        object.__setattr__(self, "thresholds", MappingProxyType(thresholds))

    @property
    def digest(self) -> str:
        """The SHA-256 that stored predictions name; wetread.models.digest says what it covers."""
        return decision_digest(model_digest=self.model_digest, temperature=self.temperature, thresholds=self.thresholds)

    def check_labels(self, labels: Sequence[str]) -> None:
        """Raise ArtefactError when a threshold is for a label that the model does not have."""
        if unknown := sorted(set(self.thresholds) - set(labels)):
            raise ArtefactError(f"decision: expected thresholds for {', '.join(labels)}, found also {unknown}")

    def to_json(self) -> dict[str, Any]:
        """Return the body of decision.json."""
        return {
            "format": DIGEST_FORMAT,
            "model_digest": self.model_digest,
            "temperature": self.temperature,
            "thresholds": dict(self.thresholds),
            "digest": self.digest,
        }

    @classmethod
    def from_json(cls, body: Any) -> Decision:
        """Return the decision in `body`; raise ArtefactError when it is malformed or its digest is not its own."""
        fields: dict[str, Kinds] = {
            "format": int, "model_digest": str, "temperature": (int, float), "thresholds": dict, "digest": str,
        }  # fmt: skip
        body = taken(body, fields, "decision.json")
        if not all(type(least) in (int, float) for least in body["thresholds"].values()):
            raise ArtefactError("decision.json: expected thresholds that are numbers")
        decision = cls(body["model_digest"], body["temperature"], body["thresholds"])
        if body["format"] != DIGEST_FORMAT or body["digest"] != decision.digest:
            raise ArtefactError(
                f"decision.json: expected digest {decision.digest}, found {body['digest']}; it was altered: "
                "fetch the model again"
            )
        return decision


def probabilities(logits: FloatArray, temperature: float) -> npt.NDArray[np.float64]:
    """Return softmax(logits / temperature) by row, in float64, stable for any finite logits.

    logits: (n, k); the result is (n, k). The row's maximum is taken off first, which changes nothing in
    exp(z_i) / sum_j exp(z_j) and keeps exp from overflowing.
    """
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True, initial=-np.inf))
    result: npt.NDArray[np.float64] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return result


def decide(
    logits: FloatArray,
    decision: Decision,
    *,
    labels: Sequence[str],
    sha256s: Sequence[str],
    engine: str,
    gate_scores: Sequence[float | None] | None = None,
) -> list[Prediction]:
    """Return a prediction for each row of `logits`, (n, len(labels)), read as `decision` says.

    sha256s: of the files' bytes, one a row. gate_scores: one a row, or None where the model has no gate.
    The label is the first of the highest probability. Raises ArtefactError when a logit is not finite.
    """
    logits = np.asarray(logits)
    if logits.shape != (len(sha256s), len(labels)):
        raise ArtefactError(f"expected logits of {(len(sha256s), len(labels))}, found {logits.shape}")
    if not np.isfinite(logits).all():
        raise ArtefactError(
            f"expected finite logits, found NaN or infinity; model {decision.model_digest[:12]} cannot read these "
            "images: run 'wetread models verify'"
        )
    shares = probabilities(logits, decision.temperature)
    best = shares.argmax(axis=1)
    sure = said(shares, best, decision.thresholds, labels)
    digest = decision.digest
    return [
        Prediction(
            sha256=sha256s[row],
            model_digest=decision.model_digest,
            engine=engine,
            logits=tuple(logits[row].tolist()),
            gate_score=gate_scores[row] if gate_scores is not None else None,
            label=labels[index],
            probability=float(shares[row, index]),
            probabilities=tuple(shares[row].tolist()),
            decision=labels[index] if sure[row] else UNCERTAIN,
            decision_digest=digest,
        )
        for row, index in enumerate(best.tolist())
    ]


def said(
    shares: FloatArray, best: npt.NDArray[np.int64], thresholds: Mapping[str, float], labels: Sequence[str]
) -> npt.NDArray[np.bool_]:
    """Return whether the thresholds let each row's label be said, (n,).

    shares: probabilities (n, len(labels)). best: the index of each row's label, (n,).
    """
    least = np.array([thresholds.get(label, 0.0) for label in labels])
    result: npt.NDArray[np.bool_] = shares[np.arange(len(best)), best] >= least[best]
    return result
