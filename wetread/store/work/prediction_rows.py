"""A prediction as the row that is stored of it."""

from __future__ import annotations

from datetime import datetime

from schemas.predictions import Prediction


def prediction_row(prediction: Prediction, run_id: int, now: datetime) -> dict[str, object]:
    """Return the columns of a new reading, made now in a run."""
    return {
        "sha256": prediction.sha256,
        "model_digest": prediction.model_digest,
        "decision_digest": prediction.decision_digest,
        "engine": prediction.engine,
        "run_id": run_id,
        "logits": list(prediction.logits),
        "gate_score": prediction.gate_score,
        "grey_mean": prediction.grey_mean,
        "grey_deviation": prediction.grey_deviation,
        "label": prediction.label,
        "probability": prediction.probability,
        "probabilities": list(prediction.probabilities),
        "decision": prediction.decision,
        "read_at": now,
    }
