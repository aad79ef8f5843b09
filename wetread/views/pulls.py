"""Pulls as JSON."""

from __future__ import annotations

from typing import Any

from wetread.clock import utc_text
from wetread.store.received.pulls import PullRow


def pull_json(row: PullRow) -> dict[str, Any]:
    """Return a pull as JSON shows it."""
    return {
        "pull": row.id, "peer": row.peer, "via": row.via, "since": row.since, "until": row.until,
        "modalities": row.modalities.split(","), "state": str(row.state), "note": row.note, "studies": row.studies,
        "short": row.short, "asked": row.asked, "pending": row.pending, "received": row.received, "failed": row.failed,
        "gone": row.gone, "not_wanted": row.not_wanted, "created_at": utc_text(row.created_at),
        "ended_at": utc_text(row.ended_at),
    }  # fmt: skip
