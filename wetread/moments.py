"""Moments and days as people and our own JSON write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from wetread.clock import utc_now

_DAYS_AGO = re.compile(r"(\d{1,5})d")
FORMS = "expected a day or a time as 2026-11-30, 2026-11-30T22:00+01:00, today, yesterday or 7d"


def read_day(text: str) -> date | None:
    """Return the day that `text` names: YYYY-MM-DD, today, yesterday, or 7d, which is 7 days before today, in UTC."""
    today = utc_now().date()
    words = {"today": 0, "yesterday": 1}
    ago = _DAYS_AGO.fullmatch(text)
    if text in words or ago:
        return today - timedelta(days=int(ago[1]) if ago else words[text])
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def read_moment(text: str) -> datetime:
    """Return the moment in UTC that `text` names: a day is its beginning, and what names no time zone is in UTC.

    Raises ValueError or OverflowError for a text that names no moment.
    """
    day = read_day(text)
    found = datetime.fromisoformat(text) if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
