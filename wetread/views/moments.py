"""Moments as text: in UTC, and as the clocks of a time zone show them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo


def utc_text(at: datetime | None) -> str | None:
    """Return a moment of UTC as ISO 8601 with a Z, to the second."""
    return None if at is None else at.isoformat(timespec="seconds").replace("+00:00", "Z")


def shown_by(moment: datetime | None, timezone: str) -> str | None:
    """Return a moment as the clocks of a time zone show it, with its distance from UTC."""
    return None if moment is None else moment.astimezone(ZoneInfo(timezone)).isoformat(timespec="minutes")
