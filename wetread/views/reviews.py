"""A review as JSON: one of `reviews list --json`, and of the HTTP API."""

from __future__ import annotations

from typing import Any

from schemas.tables import Review
from wetread.clock import utc_text


def review_json(review: Review, reader: str, superseded: bool) -> dict[str, Any]:
    """Return what is shown of a review, by whom it is, and whether a later one supersedes it."""
    return {
        "review": review.id, "at": utc_text(review.created_at), "reader": reader, "verdict": review.verdict,
        "label": review.label, "model_label": review.model_label, "blinded": review.blinded,
        "seconds": review.seconds, "superseded": superseded, "comment": review.comment, "sha256": review.sha256,
        "model_digest": review.model_digest, "decision_digest": review.decision_digest,
        "supersedes": review.supersedes, "row_hash": review.row_hash,
    }  # fmt: skip
