"""Moments as the clocks of a time zone show them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo


def shown_by(moment: datetime | None, timezone: str) -> str | None:
    """Return a moment as the clocks of a time zone show it, with its distance from UTC."""
    return None if moment is None else moment.astimezone(ZoneInfo(timezone)).isoformat(timespec="minutes")
